"""The documentation says nothing that is not so: links, examples, commands, keys and words are checked."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import scripts.reference as reference
import typer
from tests.docs.pages import OURS, ROOT, Block, anchors, blocks, commands, links, name, text

from poorwill.cli.entry import app
from poorwill.config import json_schema, load
from poorwill.core.hours import OpeningHours
from poorwill.core.model import Phase
from poorwill.core.period import Per
from poorwill.errors import ConfigError
from poorwill.gateway import entrance, limits
from poorwill.gateway import pages as answers
from poorwill.providers.registry import option_models
from poorwill.store.event import Kind

DOCS = ROOT / "docs"
SPENT = OpeningHours("UTC", spent=Per.DAY)
FORBIDDEN = re.compile(
    r"\b(issues?|tickets?|sessions?|sprints?|TODO|FIXME)\b|/tmp/|/root/|/home/"
    r"|\b(easy|easily|simply|just)\s+(run|do|add|use)\b",
    re.IGNORECASE,
)

THEIRS = {"app.py"}
"""Files that users have, not we."""


@pytest.mark.parametrize("page", OURS, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            continue
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        assert target.exists(), f"{name(page)} links to {link}"
        if anchor:
            assert anchor in anchors(target), f"{name(page)} links to {link}, and there is no such heading"


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, next_ones = set(), [ROOT / "README.md"]
    while next_ones:
        page = next_ones.pop()
        if page not in reached:
            reached.add(page)
            targets = (link.partition("#")[0] for link in links(page) if not re.match(r"[a-z]+:", link))
            next_ones += [(page.parent / t).resolve() for t in targets if t.endswith(".md")]
    assert set(OURS) <= reached


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_every_configuration_shown_loads(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "poorwill.yaml"
    file.write_text(block.text, encoding="utf-8")
    policy = "max_instances: 3\ntarget: {concurrency: 4}\n"  # a file beside it that examples name
    (tmp_path / "autoscaling_policy.yaml").write_text(policy, encoding="utf-8")
    settings = load(file, option_models(), {"HOME": "/home/somebody", "AUTODL_TOKEN": "a-token"})
    assert settings.services


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_every_json_shown_is_json(block: Block) -> None:
    json.loads(block.text)


@pytest.mark.parametrize("block", blocks("console"), ids=str)
def test_every_command_shown_exists(block: Block) -> None:
    group: Any = typer.main.get_command(app)
    assert re.search(r"^\$ ", block.text, re.MULTILINE), "a console block shows what is typed after a $"
    for command, *words in commands(block):
        if command == "--version":
            continue
        assert command in group.commands, f"there is no `poorwill {command}`"
        known = group.commands[command]
        if hasattr(known, "commands") and words and not words[0].startswith("-"):
            assert words[0] in known.commands, f"there is no `poorwill {command} {words[0]}`"
            known, words = known.commands[words[0]], words[1:]
        known.make_context(command, words)  # raises for what it does not take


def test_every_make_target_shown_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in OURS:
        shown = re.findall(r"(?:`|\$ )make ([a-z]+)", text(page))
        assert set(shown) <= targets, name(page)


def test_the_mistake_in_the_tutorial_is_answered_as_shown(tmp_path: Path) -> None:
    example = next(block for block in blocks("yaml") if block.page == DOCS / "tutorial.md")
    file = tmp_path / "poorwill.yaml"
    file.write_text(example.text.replace("idle_after: 30s", "idle_afer: 30"), encoding="utf-8")
    with pytest.raises(ConfigError) as wrong:
        load(file, option_models(), {})
    said = str(wrong.value).replace(str(tmp_path) + "/", "")
    assert f"poorwill: {said}\n" in text(DOCS / "tutorial.md")


@pytest.mark.parametrize("page", reference.pages())
def test_the_generated_reference_is_fresh(page: str) -> None:
    whole = text(ROOT / page)
    fresh = reference.renewed(whole, reference.pages()[page])
    assert whole == fresh, "run: .venv/bin/python -m scripts.reference"


def test_a_stale_reference_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for page in reference.pages():
        (tmp_path / page).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / page).write_text(f"mine\n{reference.BEGIN}\nold\n{reference.END}\nmine too\n")
    monkeypatch.setattr(reference, "ROOT", tmp_path)
    assert reference.main(["--check"]) == 1
    assert "configuration.md" in capsys.readouterr().out
    assert reference.main([]) == 0
    assert reference.main(["--check"]) == 0
    for page in reference.pages():
        whole = (tmp_path / page).read_text()
        assert whole.startswith("mine\n")
        assert whole.endswith("\nmine too\n")
        assert "old" not in whole.splitlines()


def test_every_key_is_in_the_reference() -> None:
    page = text(DOCS / "reference" / "configuration.md")
    schema = json_schema({name: option_models()[name] for name in reference.BUILT_IN})
    for section in [schema, *schema["$defs"].values()]:
        for key in section["properties"]:
            assert f"| `{key}` |" in page, f"{key} is not documented"


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_event_is_documented(kind: Kind) -> None:
    assert f"\n| `{kind}` |" in text(DOCS / "reference" / "journal.md")


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_is_documented(phase: Phase) -> None:
    assert f"\n| `{phase}` |" in text(DOCS / "reference" / "phases.md")
    assert f"\n| {phase} |" in text(DOCS / "glossary.md")


def test_the_table_of_phases_names_every_phase() -> None:
    rows = [line.split(" | ") for line in reference.phases().splitlines() if line.startswith("| ")]
    assert {len(row) for row in rows} == {6}
    told = " ".join(row[4] + row[5] for row in rows)
    assert all(phase in told for phase in Phase)


def test_every_error_code_that_is_documented_exists() -> None:
    shown = set(re.findall(r"^\| `(\w+_\w+)` \|", text(DOCS / "reference" / "answers.md"), re.MULTILINE))
    known = {
        json.loads(answers.api_error(kind, "x", "en"))["error"]["code"]
        for kind in (
            "waking",
            "trouble",
            "asleep",
            "by_hand",
            "closing",
            "removed",
            "not_found",
            "crowded",
            "unavailable",
            "locked",
            "guessing",
            "unknown",
        )
    }
    known |= {
        json.loads(entrance.closed_error("x", "en", hours=None, wall=0.0))["error"]["code"],
        json.loads(entrance.closed_error("x", "en", hours=SPENT, wall=0.0))["error"]["code"],
        json.loads(entrance.asleep_error("x", "en", retry=1, hours=None, wall=0.0))["error"]["code"],
        json.loads(limits.limit_error("x", "en", limits.Limit(own=True, seconds=9)))["error"]["code"],
    }
    assert shown == known


def test_the_glossary_is_in_order() -> None:
    rows = re.findall(r"^\| ([^|]+?) \|", text(DOCS / "glossary.md"), re.MULTILINE)
    words = [row for row in rows if row != "word"]
    assert len(words) > 30
    assert [word.lower() for word in words] == sorted(word.lower() for word in words)


@pytest.mark.parametrize("page", OURS, ids=name)
def test_words_that_do_not_belong_here(page: Path) -> None:
    for number, line in enumerate(text(page).splitlines(), 1):
        found = FORBIDDEN.search(line)
        assert found is None, f"{name(page)}:{number}: {found and found[0]}"


@pytest.mark.parametrize("page", OURS, ids=name)
def test_every_source_file_named_exists(page: Path) -> None:
    for file in re.findall(r"`(?:[\w.]+/)*[\w]+\.(?:py|proto|toml)`", text(page)):
        path = file.strip("`")
        places = (ROOT, ROOT / "src/poorwill", ROOT / "tests/acceptance", page.parent)
        known = any((place / path).exists() for place in places)
        bare = "/" not in path and any(ROOT.glob(f"src/poorwill/**/{path}"))
        assert known or bare or path in THEIRS, f"{name(page)} names {path}"


def test_pictures_are_small() -> None:
    pictures = sorted((DOCS / "images").iterdir())
    assert pictures
    for picture in pictures:
        assert picture.stat().st_size < 150_000, name(picture)
