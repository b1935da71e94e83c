"""Functions of one type whatever they get: by type, the keys of sqlglot's classes and Spark's own names."""

from __future__ import annotations

from sqlml.compile.types.functions.call import Rule, always, named
from sqlml.compile.types.spark_types import (
    BIGINT,
    BINARY,
    BOOLEAN,
    DATE,
    DAY_TO_SECOND,
    DOUBLE,
    FLOAT,
    INT,
    SMALLINT,
    STRING,
    TIMESTAMP,
    TIMESTAMP_NTZ,
    TINYINT,
    VARIANT,
    VOID,
    YEAR_TO_MONTH,
    ArrayType,
    AtomicType,
    MapType,
    SparkType,
)

_NAMES: dict[SparkType, str] = {
    TINYINT: "getbit grouping",
    SMALLINT: "xpath_short",
    INT: """
        arraysize ascii bitlength bitwisecount cardinality dayofmonth day dayofweek dayofyear denserank find_in_set
        hash hour json_array_length length levenshtein minute month ntile octet_length quarter rank regexpcount
        regexpinstr rownumber second spark_partition_id st_srid strposition unicode unixdate week weekday weekofyear
        xpath_int year charindex bytelength
    """,
    BIGINT: """
        approxdistinct arrayposition bitmap_bit_position bitmap_bucket_number bitmap_count bitmapbitposition
        bitmapbucketnumber bitmapcount count countif crc32 factorial groupingid grouping_id hll_sketch_estimate
        input_file_block_length input_file_block_start kll_sketch_get_n_bigint kll_sketch_get_n_double
        kll_sketch_get_n_float monotonically_increasing_id regrcount strtounix theta_sketch_estimate timestampdiff
        tuple_sketch_summary_integer unixmicros unixmillis unixseconds widthbucket xpath_long xxhash64
    """,
    FLOAT: "vector_cosine_similarity vector_inner_product vector_l2_distance vector_norm xpath_float",
    DOUBLE: """
        acos acosh asin asinh atan atan2 atanh cbrt corr cos cosh cot covarpop covarsamp csc cumedist degrees e exp
        expm1 hypot jaro_winkler_similarity kurtosis ln log log1p log10 log2 monthsbetween percentrank pi pow radians
        rand randn regravgx regravgy regrintercept regrr2 regrslope regrsxx regrsxy regrsyy rint sec sign sin sinh
        skewness sqrt std stddev stddevpop stddevsamp tan tanh tuple_sketch_estimate_double
        tuple_sketch_estimate_integer tuple_sketch_summary_double tuple_sketch_theta_double tuple_sketch_theta_integer
        variance variancepop xpath_double xpath_number
    """,
    BOOLEAN: """
        and any arraycontains arrays_overlap between bool_and bool_or contains endswith eq equal_null equalnull escape
        every exists forall gt gte ilike in is is_valid_utf8 is_valid_variant is_variant_null isnan isnotnull isnull
        like logicaland logicalor lt lte luhn_check mapcontainskey neq not nullsafeeq nullsafeneq or regexp
        regexpilike regexplike rlike some startswith xor xpath_boolean
    """,
    STRING: """
        arraytostring base64 bin btrim char chr concatws conv current_path current_user currentcatalog currentdatabase
        currentschema currenttimezone currentuser dayname decode format format_number hex initcap input_file_name
        java_method jsonextractscalar jsonformat lower make_valid_utf8 mask md5 monthname parseurl printf quote
        randstr reflect regexpextract regexpreplace regexpsubstr repeat replace right schema_of_csv schema_of_json
        schema_of_variant schema_of_variant_agg schema_of_xml session_user sessionuser sha sha2 soundex space
        splitpart substringindex timetostr to_csv to_varchar to_xml tobase32 tobase64 tochar translate trim
        try_parse_url try_reflect try_url_decode try_validate_utf8 typeof unixtostr upper url_decode url_encode user
        uuid validate_utf8 version xpath_string
    """,
    BINARY: """
        aes_decrypt aes_encrypt bitmap_and_agg bitmap_construct_agg bitmap_or_agg bitmapconstructagg bitmapandagg
        bitmaporagg count_min_sketch encode frombase32 frombase64 hll_sketch_agg hll_union hll_union_agg
        kll_merge_agg_bigint kll_merge_agg_double kll_merge_agg_float kll_sketch_agg_bigint kll_sketch_agg_double
        kll_sketch_agg_float kll_sketch_merge_bigint kll_sketch_merge_double kll_sketch_merge_float st_asbinary
        theta_difference theta_intersection theta_intersection_agg theta_sketch_agg theta_union theta_union_agg
        tobinary try_aes_decrypt try_to_binary unhex
    """,
    DATE: "addmonths currentdate datefromunixdate lastday make_date nextday try_make_date try_to_date tsordstodate",
    TIMESTAMP: """
        attimezone currenttimestamp fromtimezone make_timestamp_ltz now strtotime timestamp_micros timestamp_millis
        timestamp_seconds timestampfromparts to_timestamp_ltz try_make_timestamp try_make_timestamp_ltz
        try_to_timestamp
    """,
    TIMESTAMP_NTZ: "converttimezone localtimestamp make_timestamp_ntz to_timestamp_ntz try_make_timestamp_ntz",
    VARIANT: """
        parsejson to_variant_object try_parse_json try_variant_array_append try_variant_insert try_variant_set
        variant_array_append variant_delete variant_insert variant_set variant_strip_nulls
    """,
    VOID: "assert_true raise_error",
    AtomicType("interval"): "make_interval makeinterval try_make_interval",
    DAY_TO_SECOND: "make_dt_interval",
    YEAR_TO_MONTH: "make_ym_interval",
    ArrayType(STRING): "jsonkeys regexpextractall regexpsplit split xpath",
    ArrayType(ArrayType(STRING)): "sentences",
    ArrayType(FLOAT): "vector_avg vector_normalize vector_sum",
    MapType(STRING, STRING): "strtomap",
}

RULES: dict[str, Rule] = {}
for _type, _names in _NAMES.items():
    RULES |= named(always(_type), _names)
