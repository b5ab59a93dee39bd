from __future__ import annotations

import numpy as np

from assay.base.generation import Decoding, Generate, Generated, Prompt


def test_an_engine_may_be_any_function_from_prompts_to_answers() -> None:
    def echo(prompts: object, decoding: Decoding) -> list[Generated]:
        assert isinstance(prompts, list)
        answers = []
        for prompt in prompts:
            kept = prompt.tokens[: decoding.max_tokens]
            answers.append(Generated(kept, prompt.text, None, 5, prompt_tokens=len(prompt.tokens)))
        return answers

    generate: Generate = echo
    (answer,) = generate([Prompt(tokens=np.arange(4, dtype=np.int32), text="a b c d")], Decoding(2))
    assert answer.tokens.tolist() == [0, 1]
    assert (answer.text, answer.prompt_tokens, answer.first_token_ns) == ("a b c d", 4, None)
    assert (Decoding(2).beams, Decoding(2).min_tokens) == (1, 0)
