"""Schemas of data files without Spark: a path and how it is read in, each column with the type that Spark gives it out.

What only Spark can tell is None: the columns as a whole, or the type of one.
"""

from sqlml.compile.data_files.file_schemas import FileColumns, read_file_columns

__all__ = ["FileColumns", "read_file_columns"]
