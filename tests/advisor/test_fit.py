"""The formula is held against what others measured and published.

Qwen: "Speed Benchmark" of Qwen2.5, transformers on an A100 (QwenLM/Qwen2.5,
docs/source/benchmark/speed_benchmark.rst). vLLM: what vLLM 0.19 said of itself on an H100, in the accuracy
report of the llm-d planner. llama.cpp: tools/quantize/README.md. Files: their size on Hugging Face.
"""

from __future__ import annotations

import pytest

from poorwill.advisor.fit import Verdict, need, need_of_file, quantisation
from poorwill.advisor.models import model, of_size
from poorwill.core.memory import GB
from poorwill.errors import BadInput

GIB = 2**30


@pytest.mark.parametrize(
    ("name", "quant", "context", "published"),
    [
        ("qwen2.5-7b", "fp16", 8192, 15.38),
        ("qwen2.5-7b", "int8", 8192, 9.43),
        ("qwen2.5-7b", "int4", 8192, 6.52),
        ("qwen2.5-14b", "fp16", 8192, 29.50),
        ("qwen2.5-14b", "int8", 8192, 17.61),
        ("qwen2.5-14b", "int4", 8192, 11.36),
        ("qwen2.5-32b", "int8", 8192, 35.86),
        ("qwen2.5-32b", "int4", 8192, 21.09),
        ("qwen2.5-32b", "fp16", 32_768, 74.47),
        ("qwen2.5-72b", "fp16", 8192, 140.00),
        ("qwen2.5-72b", "int8", 8192, 77.81),
        ("qwen2.5-72b", "int4", 8192, 42.50),
    ],
)
def test_all_of_it_is_within_a_tenth_of_what_qwen_measured(
    name: str, quant: str, context: int, published: float
) -> None:
    assert need(model(name), quantisation(quant), context).total / GIB == pytest.approx(published, rel=0.1)


@pytest.mark.parametrize(
    ("name", "quant", "published"),
    [
        ("Qwen/Qwen2.5-7B-Instruct", "int4", 11.11),
        ("Qwen/Qwen2.5-14B-Instruct", "awq", 18.57),
        ("Qwen/Qwen2.5-32B-Instruct", "gptq", 31.84),
    ],
)
def test_a_long_question_at_once_takes_up_to_4_gib_more(name: str, quant: str, published: float) -> None:
    """Transformers computes all 30,720 tokens in one step; servers cut the question into pieces."""
    ours = need(model(name), quantisation(quant), 32_768).total / GIB
    assert 0 < published - ours < 4


@pytest.mark.parametrize(
    ("name", "quant", "published"),
    [
        ("meta-llama/Llama-3.1-8B-Instruct", "bf16", 14.99),
        ("meta-llama/Llama-3.1-8B-Instruct", "fp8", 8.49),
        ("meta-llama/Llama-3.1-8B-Instruct", "gptq", 5.38),
        ("qwen2.5-7b", "fp16", 14.25),
        ("qwen2.5-7b", "fp8", 8.14),
        ("Llama-3.3-70B", "fp8", 67.76),
        ("llama-3-8b", "q4", 4.58),
        ("llama-3-8b", "q8_0", 7.95),
        ("qwen2.5-32b", "q4_k_m", 19.9 * GB / GIB),
        ("qwen2.5-14b", "q4_k_m", 8.99 * GB / GIB),
    ],
)
def test_weights_are_within_a_hundredth_of_vllm_and_of_the_files(
    name: str, quant: str, published: float
) -> None:
    assert need(model(name), quantisation(quant), 0).weights / GIB == pytest.approx(published, rel=0.01)


@pytest.mark.parametrize(
    ("name", "gib", "tokens"), [("llama-3-8b", 58.11, 476_016), ("qwen2.5-7b", 58.53, 1_096_000)]
)
def test_the_cache_is_what_vllm_allots(name: str, gib: float, tokens: int) -> None:
    assert model(name).cache_per_token() == pytest.approx(gib * GIB / tokens, rel=0.001)


@pytest.mark.parametrize(
    ("name", "weights", "computing", "cuda"),
    [("llama-3-8b", 14.99, 1.89, 0.25), ("qwen2.5-7b", 14.25, 2.21, 0.24)],
)
def test_without_a_cache_it_is_about_what_vllm_takes(
    name: str, weights: float, computing: float, cuda: float
) -> None:
    """Before its graphs, 0.5 to 1.9 GiB, which are what the tenth that is kept free is for."""
    ours = need(model(name), quantisation("fp16"), 0).total / GIB
    assert ours == pytest.approx(weights + computing + cuda, rel=0.06)


def test_mixtral_needs_all_its_experts() -> None:
    needed = need(model("mixtral-8x7b"), quantisation("fp16"), 8192)
    assert needed.weights == pytest.approx(93.4 * GB, rel=0.01)  # 46.7 billion parameters
    assert [needed.on(size * GB) for size in (80, 96, 141)] == [Verdict.NO, Verdict.NO, Verdict.FITS]


@pytest.mark.parametrize("known", ["qwen2.5-3b", "qwen2.5-7b", "llama-3-8b", "qwen3-32b", "qwen2.5-72b"])
def test_a_size_alone_is_never_counted_with_less_cache(known: str) -> None:
    exact = model(known)
    assert of_size(exact.parameters).cache_per_token() >= exact.cache_per_token()
    assert need_of_file(exact.parameters * 2, quantisation("fp16"), 8192).total == pytest.approx(
        need(of_size(exact.parameters), quantisation("fp16"), 8192).total, rel=1e-6
    )


def test_more_users_more_context_more_gpus() -> None:
    one = need(model("14B"), quantisation("q4"), 8192)
    many = need(model("14B"), quantisation("q4"), 32_768, users=8)
    assert many.cache == 32 * one.cache
    assert one.on(24 * GB) is Verdict.FITS
    assert one.on(12.5 * GB) is Verdict.TIGHT
    assert many.on(24 * GB) is Verdict.NO
    assert many.cards(24 * GB) == 3
    assert need(model("72B"), quantisation("fp16"), 8192).cards(11 * GB) is None
    assert need(model("7B"), quantisation("fp16"), 8192).cards(1 * GB) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("qwen3:30b-a3b", "qwen3-30b-a3b"),
        ("Mistral-7B-Instruct-v0.3", "mistral-7b"),
        ("Llama3-8b", "llama-3-8b"),
        ("7b", "7B"),
    ],
)
def test_models_are_understood_as_they_are_called(text: str, name: str) -> None:
    assert model(text).name == name


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("qwen2.5-70b", "did you mean qwen2.5-7"),
        ("gpt-9", "such as 7B"),
        ("7", "such as 7B"),
        ("0B", "such as 7B"),
    ],
)
def test_other_models_are_asked_back(text: str, hint: str) -> None:
    with pytest.raises(BadInput) as wrong:
        model(text)
    assert hint in wrong.value.hint


def test_other_formats_are_asked_back() -> None:
    with pytest.raises(BadInput, match="no quantisation") as wrong:
        quantisation("int5")
    assert "did you mean int" in wrong.value.hint
