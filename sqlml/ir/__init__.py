"""What flows between the phases: frozen data and the registries that describe Spark ML, no behaviour of any phase."""
