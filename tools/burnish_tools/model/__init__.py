"""The language model: asked where no recipe applies. Its answer is data, and it is proven like a recipe's."""

from __future__ import annotations

from pydantic import Field

from burnish.settings import Section


class ModelSettings(Section):
    """The model that is asked where no recipe applies, and what it may cost."""

    name: str = "none"
    """Model name, such as `claude-sonnet-5-5`; `none` asks no model."""
    base_url: str = "https://api.anthropic.com"
    """Address of the API, or of a gateway that speaks it."""
    api_key_variable: str = "ANTHROPIC_API_KEY"
    """Environment variable that holds the API key."""
    usd_per_day: float = Field(5.0, ge=0)
    """Most that may be spent in a day (UTC). A question that could go beyond it is not asked."""
    usd_per_million_input_tokens: float = Field(5.0, ge=0)
    """Price of a million input tokens; writing them to the cache counts 1.25 times, reading them from it 0.1 times."""
    usd_per_million_output_tokens: float = Field(25.0, ge=0)
    """Price of a million output tokens."""
    max_output_tokens: int = Field(8_000, gt=0)
    """Longest answer."""
    max_input_tokens: int = Field(100_000, gt=0)
    """Longest question, estimated; a longer one is not asked."""
    timeout_seconds: float = Field(180.0, gt=0)
    """How long to wait for one answer."""
    retries: int = Field(2, ge=0)
    """How often a request is repeated that was turned away (429, 529, 5xx)."""
