"""Phase 1: the files of a project in, Project out."""

from __future__ import annotations

from sqlml.parse.files import find_project_root
from sqlml.parse.read_files import ParseRequest
from sqlml.parse.read_project import find_yaml_files, parse_project
from sqlml.parse.variables import parse_variables

__all__ = ["ParseRequest", "find_project_root", "find_yaml_files", "parse_project", "parse_variables"]
