"""Response bodies that are made while they are sent: the request goes on, and ends with its body."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, Callable, Optional

from .entries import Entries, Entry

#: ends the entry, with the exception that ended the body
Finish = Callable[[Optional[BaseException]], None]


class _Ending:
    """Ends an entry once: at the end of its body, when it is closed, or when nobody holds it any more."""

    def __init__(self, entries: Entries, entry: Entry, finish: Finish) -> None:
        self._entries, self._entry, self._finish = entries, entry, finish
        self._open = True
        entries.pause(entry)

    def _resume(self) -> bool:
        if self._open:
            self._entries.resume(self._entry)
        return self._open

    def _end(self, error: BaseException | None = None) -> None:
        if self._open:
            self._open = False
            self._finish(error)

    def __del__(self) -> None:
        self._end()


class Body(_Ending):
    """Iterates over ``chunks`` within the entry. ``close`` closes them, too, as WSGI asks."""

    def __init__(self, entries: Entries, entry: Entry, chunks: Any, finish: Finish) -> None:
        super().__init__(entries, entry, finish)
        self._chunks = chunks
        self._iterator: Iterator[Any] | None = None

    def __iter__(self) -> Body:
        return self

    def __next__(self) -> Any:
        running = self._resume()
        try:
            if self._iterator is None:
                self._iterator = iter(self._chunks)
            chunk = next(self._iterator)
        except StopIteration:
            self._end()
            raise
        except BaseException as error:
            self._end(error)
            raise
        if running:
            self._entries.pause(self._entry)
        return chunk

    def close(self) -> None:
        """Close the chunks within the entry, then end it."""
        close = getattr(self._chunks, "close", None)
        self._resume()
        try:
            if close is not None:
                close()
        finally:
            self._end()


class AsyncBody(_Ending):
    """The same for an asynchronous iterable."""

    def __init__(self, entries: Entries, entry: Entry, chunks: Any, finish: Finish) -> None:
        super().__init__(entries, entry, finish)
        self._iterator: AsyncIterator[Any] = chunks.__aiter__()

    def __aiter__(self) -> AsyncBody:
        return self

    async def __anext__(self) -> Any:
        running = self._resume()
        try:
            chunk = await self._entries.awaiting(self._entry, self._iterator.__anext__())
        except StopAsyncIteration:
            self._end()
            raise
        except BaseException as error:
            self._end(error)
            raise
        if running:
            self._entries.pause(self._entry)
        return chunk

    def close(self) -> None:
        """End the entry."""
        self._end()
