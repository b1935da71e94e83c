"""sqlml: dbt for machine learning on Apache Spark.

cli        reads arguments, calls one verb, prints, exits
build …    the verbs, one file each; build.py is the page to read first
parse      files -> Project          resolve   Project -> Dag
compile    Dag -> Plan               run       Plan -> RunResults (the only place that knows Spark)
persist    what exists: outputs, versions, aliases, metrics
templating the one Jinja environment
ir         what flows between the phases
errors     what, where, fix
"""

__version__ = "0.1.0"
