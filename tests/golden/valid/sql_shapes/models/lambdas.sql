select id, concat_ws('+', transform(split(tags, '[|]'), tag -> upper(tag))) as tags, named_struct('n', id).n as n
from {{ ref('sales') }}
