"""Anthropic's models. The only importer of `anthropic`, and a late one: the import takes seconds."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from burnish.errors import ConfigError, Unavailable
from burnish.job import Change, Declined
from burnish.protocols import Asked
from burnish.why import Why
from burnish_tools.model import ModelSettings
from burnish_tools.model.answer import Answer, Unusable, read
from burnish_tools.model.budget import Budget, Usage, estimated_tokens
from burnish_tools.model.question import label, question, repair, rules

if TYPE_CHECKING:
    import anthropic

_ROUNDS = 2
"""The question, and one repair."""
_EXTRA_TOKENS = 1_000
"""What the API adds to a question: the schema of the answer and its own framing."""


class AnthropicModel:
    """A `ModelAdapter`: one question, structured output, at most one repair, never beyond the budget."""

    def __init__(self, settings: ModelSettings, api_key: str, budget: Budget) -> None:
        """Raises ConfigError where there is no key or no model."""
        if settings.name == "none":
            raise ConfigError('model.name is "none": there is no model to ask; set it to a model\'s name')
        if not api_key:
            raise ConfigError(f'{settings.api_key_variable} is empty; export an API key or set model.name = "none"')
        self.name = settings.name
        self._settings = settings
        self._api_key = api_key
        self._budget = budget

    def propose(self, asked: Asked, job_id: str) -> Change | Declined:
        """An edit of the files shown, or a refusal with its reason.

        Raises Unavailable where the API cannot be reached or is overloaded, ConfigError where it does not accept the
        key or does not know the model, DataError where the spending cannot be recorded.
        """
        messages: list[Any] = [{"role": "user", "content": question(asked)}]
        result: Change | Declined | Unusable = Unusable(())
        for _ in range(_ROUNDS):
            text = self._answer(messages, job_id)
            result = text if isinstance(text, Declined) else read(text, asked)
            if not isinstance(result, Unusable):
                return result
            messages += [{"role": "assistant", "content": text}, {"role": "user", "content": repair(str(result))}]
        return _declined(f"its answer could not be applied, also after a correction: {result}")

    def _answer(self, messages: list[Any], job_id: str) -> str | Declined:
        """One paid request: the text of a complete answer. What it cost is recorded whatever comes of it."""
        worst = self._worst(messages)
        if worst.input_tokens > self._settings.max_input_tokens:
            limit = self._settings.max_input_tokens
            return _declined(f"the question has about {worst.input_tokens} tokens, model.max_input_tokens is {limit}")
        if not self._budget.allows(worst):
            spent, day = self._budget.spent(), self._settings.usd_per_day
            detail = f"{spent:.2f} of {day:.2f} USD spent; this question could cost {self._budget.usd(worst):.2f}"
            return Declined(why=Why.OVER_BUDGET, detail=detail)
        usage, stop_reason, text = Usage(), "error", ""
        try:
            message = self._request(messages)
            usage, stop_reason = _usage(message), message.stop_reason or ""
            text = "".join(block.text for block in message.content if block.type == "text")
        except TimeoutError as error:
            # Nobody can tell what answers that did not arrive have cost, so the most that they can is written down.
            times = self._settings.retries + 1
            most = Usage(input_tokens=worst.input_tokens * times, output_tokens=worst.output_tokens * times)
            usage, stop_reason = most, "timeout"
            raise Unavailable(f"{self._settings.base_url} did not answer in time; try again later") from error
        finally:
            self._budget.record(job_id, label(), usage, stop_reason, text)
        return self._complete(stop_reason, text)

    def _complete(self, stop_reason: str, text: str) -> str | Declined:
        if stop_reason == "refusal":
            return _declined("it refused to answer")
        if stop_reason == "max_tokens":
            limit = self._settings.max_output_tokens
            return _declined(f"its answer was cut off at {limit} tokens; raise model.max_output_tokens")
        return text or _declined(f"its answer was empty (stop reason {stop_reason or 'unknown'})")

    def _worst(self, messages: list[Any]) -> Usage:
        """The most that a request can use; the estimate's margin covers writing the rules to the cache."""
        tokens = estimated_tokens(rules() + "".join(m["content"] for m in messages)) + _EXTRA_TOKENS
        return Usage(input_tokens=tokens, output_tokens=self._settings.max_output_tokens)

    def _request(self, messages: list[Any]) -> anthropic.types.Message:
        import anthropic

        schema = anthropic.transform_schema(Answer)
        try:
            message = self._client.messages.create(
                model=self._settings.name,
                max_tokens=self._settings.max_output_tokens,
                system=[{"type": "text", "text": rules(), "cache_control": {"type": "ephemeral"}}],
                messages=messages,
                output_config={"format": {"type": "json_schema", "schema": schema}},
            )
        except anthropic.APITimeoutError as error:
            raise TimeoutError from error
        except anthropic.APIError as error:
            self._fail(error)
        if not isinstance(message, anthropic.types.Message):
            raise Unavailable(
                f"{self._settings.base_url} answered something that is no message; is it the right address?"
            )
        return message

    def _fail(self, error: anthropic.APIError) -> NoReturn:
        status = getattr(error, "status_code", None)
        where, said = self._settings.base_url, str(error)[:300]
        if status in (401, 403):
            raise ConfigError(
                f"{where} does not accept the key in {self._settings.api_key_variable}: {said}"
            ) from error
        if status == 404:
            raise ConfigError(f"{where} does not know the model {self.name}; set model.name ({said})") from error
        raise Unavailable(f"{where} did not answer the question, the next cycle tries again: {said}") from error

    @cached_property
    def _client(self) -> anthropic.Anthropic:
        import anthropic

        return anthropic.Anthropic(
            api_key=self._api_key,
            base_url=self._settings.base_url,
            timeout=self._settings.timeout_seconds,
            max_retries=self._settings.retries,
            open_telemetry=False,
        )


def _usage(message: anthropic.types.Message) -> Usage:
    usage = message.usage
    return Usage(
        input_tokens=usage.input_tokens,
        cache_write_tokens=usage.cache_creation_input_tokens or 0,
        cache_read_tokens=usage.cache_read_input_tokens or 0,
        output_tokens=usage.output_tokens,
    )


def _declined(detail: str) -> Declined:
    return Declined(why=Why.MODEL_DECLINED, detail=detail)
