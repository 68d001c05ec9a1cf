"""A small Gradio app as people write them: a chat that streams, and notes that outlive the process.

Usage: python gradio_app.py PORT NOTES_FILE. Knows nothing of Poorwill.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import gradio as gr

NOTES = Path(sys.argv[2])


def notes() -> str:
    return NOTES.read_text(encoding="utf-8") if NOTES.exists() else ""


def keep(note: str, kept: int) -> tuple[str, int, str]:
    """Add a line to the file; the session's own count is in a ``gr.State`` and in memory only."""
    with NOTES.open("a", encoding="utf-8") as file:
        file.write(note + "\n")
    return notes(), kept + 1, f"{kept + 1} kept in this session"


def answer(message: str, _history: list[object]) -> Iterator[str]:
    """``slow N`` is N seconds of silence and then N words, one a second; anything else is echoed."""
    verb, _, number = message.partition(" ")
    slow = int(number) if verb == "slow" else 0
    time.sleep(slow)
    said = "You said:"
    for word in [f"word{n}" for n in range(slow)] or message.split():
        time.sleep(1 if slow else 0)
        said += f" {word}"
        yield said


with gr.Blocks(title="Notes and chat") as app:
    kept = gr.State(0)
    note = gr.Textbox(label="Note", elem_id="note")
    button = gr.Button("Keep", elem_id="keep")
    count = gr.Textbox(label="Count", elem_id="count")
    shown = gr.Textbox(label="Notes", elem_id="notes", lines=4)
    button.click(keep, [note, kept], [shown, kept, count], api_name="keep")
    app.load(notes, None, shown, api_name="notes")
    gr.ChatInterface(answer, textbox=gr.Textbox(elem_id="ask"), api_name="chat")

app.launch(server_name="127.0.0.1", server_port=int(sys.argv[1]), share=False, quiet=True)
