"""Routes of quality."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/v1/parks/{park}", tags=["quality"])
