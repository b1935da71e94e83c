"""Column lineage: `nodes` follows the columns of one SQL model, `dag_lineage` puts that of a whole Dag together."""
