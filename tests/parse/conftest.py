import pytest

from sqlml.parse import ParseRequest, parse_project


@pytest.fixture
def parse(tmp_path):
    """Writes files (path -> text or bytes) and parses the project they make."""

    def _parse(files, **request):
        for path, content in {"sqlml_project.yml": "name: shop\n", **files}.items():
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                file.write_bytes(content)
            else:
                file.write_text(content, encoding="utf-8")
        return parse_project(ParseRequest(tmp_path, **request))

    return _parse
