"""The blocks of docs/weights.md that need PyTorch, which the tests do without; .ci/peers has it."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "weights.md"


def test_the_blocks_of_pytorch_run_in_their_places():
    pytest.importorskip("torch")
    text = PAGE.read_text("utf-8").partition("\n## safetensors\n")[0]
    fences = re.findall(r"^```(python|text)\n(.*?)^```$", text, re.M | re.S)
    assert [language for language, _ in fences] == ["python", "python", "text", "text", "python"]
    page = {}
    for _, code in fences:
        exec(code, page)
    assert page["network"].training is False  # the assertions stand on the page
