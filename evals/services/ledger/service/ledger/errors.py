"""What a caller did wrong, and how it is told."""

from fastapi import Request
from fastapi.responses import JSONResponse


class LedgerError(Exception):
    """A refusal: `status` is the HTTP status, `code` is for programs, the message for people."""

    status = 400
    code = "bad_request"


class NotFound(LedgerError):
    status = 404
    code = "not_found"


class Unauthorised(LedgerError):
    status = 401
    code = "unauthorised"


class Forbidden(LedgerError):
    status = 403
    code = "forbidden"


class Refused(LedgerError):
    """The request is well formed, but the state of the ledger does not allow it."""

    status = 409
    code = "refused"


class InsufficientFunds(Refused):
    code = "insufficient_funds"


async def answer(request: Request, error: Exception) -> JSONResponse:
    """The body of every refusal."""
    assert isinstance(error, LedgerError)
    return JSONResponse({"error": {"code": error.code, "message": str(error)}}, status_code=error.status)
