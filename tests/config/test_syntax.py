from __future__ import annotations

import pytest
from tests.config.reading import ProblemsOf

QUOTES = "put the text in quotes"


@pytest.mark.parametrize(
    ("text", "line", "column", "message", "hint"),
    [
        ("a: b\nlisten: a: b\n", 2, 10, "a second ': ' where none can be", "check the indentation"),
        ("a: 1\n b: 2\n", 2, 3, "a second ': ' where none can be", "check the indentation"),
        ("services:\n\ta: 1\n", 2, 1, "a tab, where only spaces can be", "indent with spaces"),
        ("a: x\nb: [1, 2\nc: 3\n", 2, 4, "a [ is opened here and not closed properly", "check commas"),
        ("a: {b: 1\nc: 2\n", 1, 4, "a { is opened here and not closed properly", "check commas"),
        ("a: 'x\nb: 1\n", 1, 4, "a quote is opened here and never closed", "close the quote"),
        ('a: "C:\\qux"\n', 1, 8, "\\q means nothing in double quotes", "use single quotes"),
        ("a: @x\n", 1, 4, "text cannot begin with @", QUOTES),
        ("a: b\nfoo\n", 2, 1, "a key without its colon", "write key: value"),
        ("a: 1\n---\nb: 2\n", 2, 1, "a second document begins here", "remove"),
        ("a:\n  - b\n c: 1\n", 3, 2, "this does not fit here", "keys of one group"),
        ("hosts: [*.example.com]\n", 1, 9, "*.example.com means a piece named elsewhere", QUOTES),
        ("listen: [::1]:8080\n", 1, 9, "an address in brackets must be in quotes", 'write "[::1]:8080"'),
        ("address: {host}:{p}\n", 1, 10, "an address in braces must be in quotes", 'write "{host}:{p}"'),
        ("a: b\nb: \x00\n", 2, 4, "a character that cannot be in a text file: U+0000", "remove it"),
        ("[" * 1000, 1, 1, "nested too deeply", ""),
        ("services: &a {x: *a}\n", 1, 11, "an alias (*name) repeats itself without end", ""),
    ],
)
def test_yaml_mistakes_in_plain_words(
    problems_of: ProblemsOf, text: str, line: int, column: int, message: str, hint: str
) -> None:
    (problem,) = problems_of(text)
    assert (problem.line, problem.column, problem.key) == (line, column, "")
    assert problem.message.startswith(message)
    assert problem.hint.startswith(hint)


def test_aliases_that_multiply_are_stopped(problems_of: ProblemsOf) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    (problem,) = problems_of("\n".join(lines))
    assert problem.message == "an alias (*name) repeats itself without end"
