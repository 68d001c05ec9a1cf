"""What the demo's page says, in English and Chinese."""

from __future__ import annotations

ENGLISH = {
    "lang": "en",
    "title": "Ask your notes",
    "lead": "Upload a text, ask about it. The answer is the sentence in your documents that fits best: "
    "no model guesses here.",
    "ask_label": "Your question",
    "ask_hint": "How does a poorwill survive the winter?",
    "ask": "Ask",
    "try": "Try:",
    "examples": "How does a poorwill survive the winter?|Is a stopped GPU machine still billed?"
    "|人为什么要睡觉？",
    "documents": "Documents",
    "upload": "Upload .txt or .md",
    "drop": "or drop them here",
    "paste": "Paste a text",
    "paste_name": "Name (optional)",
    "paste_text": "The text",
    "save": "Save",
    "none": "There is nothing here yet.",
    "passages": "{n} passages",
    "passage": "1 passage",
    "connected": "awake for {s}",
    "gone": "asleep: ask something and it wakes",
    "waiting": "waiting {s} s",
    "answered": "answered in {s}",
    "nothing": "Nothing in the documents answers this.",
    "saved": "“{name}” is stored and indexed.",
    "failed": "That did not work: ",
    "from": "from",
    "note_slow": "To stand in for a real service that loads a model, this one waits {s} s at every start. "
    "Nothing is loaded; the wait is all there is.",
    "note_tab": "This open tab holds a connection to the service and still lets it sleep.",
    "error_empty_text": "the text is empty",
    "error_empty_question": "the question is empty",
    "error_too_big": "a text may have at most 20 MB",
    "error_not_utf8": "this is not a UTF-8 text",
    "error_not_text": "this is not a text",
    "error_wrong_type": "only .txt and .md are understood",
}

CHINESE = {
    "lang": "zh",
    "title": "问问你的笔记",
    "lead": "上传一篇文字，再向它提问。答案是文档里最贴切的那一句原文，没有模型在猜。",
    "ask_label": "你的问题",
    "ask_hint": "夜鹰怎么过冬？",
    "ask": "提问",
    "try": "试试：",
    "examples": "人为什么要睡觉？|睡眠不足会怎样？|How does a poorwill survive the winter?",
    "documents": "文档",
    "upload": "上传 .txt 或 .md",
    "drop": "或拖放到这里",
    "paste": "粘贴文字",
    "paste_name": "名称（可不填）",
    "paste_text": "正文",
    "save": "保存",
    "none": "这里还没有文档。",
    "passages": "{n} 段",
    "passage": "1 段",
    "connected": "已醒 {s}",
    "gone": "已休眠：提个问题就会醒来",
    "waiting": "等待 {s} 秒",
    "answered": "用时 {s}",
    "nothing": "文档里没有能回答这个问题的内容。",
    "saved": "“{name}”已保存并建立索引。",
    "failed": "没有成功：",
    "from": "出自",
    "note_slow": "真实的服务启动时要加载模型；这个演示每次启动都空等 {s} 秒来代替，什么也没有加载。",
    "note_tab": "这个打开的标签页一直连着服务，但不妨碍它休眠。",
    "error_empty_text": "文字是空的",
    "error_empty_question": "问题是空的",
    "error_too_big": "一篇文字最多 20 MB",
    "error_not_utf8": "不是 UTF-8 编码的文字",
    "error_not_text": "这不是文字文件",
    "error_wrong_type": "只支持 .txt 和 .md",
}


def words_for(accept_language: str) -> dict[str, str]:
    """Chinese when the browser puts it before English; English in every other case."""
    wishes: list[tuple[float, str]] = []
    for part in accept_language.split(","):
        tag, _, parameter = part.strip().partition(";")
        quality = parameter.strip().removeprefix("q=") or "1"
        try:
            wishes.append((-float(quality), tag.strip().lower()[:2]))
        except ValueError:
            continue
    for negative, language in sorted(wishes, key=lambda wish: wish[0]):
        if negative < 0 and language in ("en", "zh"):
            return CHINESE if language == "zh" else ENGLISH
    return ENGLISH
