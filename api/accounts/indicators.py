"""Routes of indicators."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/v1/parks/{park}", tags=["indicators"])
