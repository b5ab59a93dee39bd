"""Charts as answers: the Vega-Lite specification for browsers with scripts, SVG and PNG of the same for everybody else."""

from __future__ import annotations

import threading
from typing import Literal

import msgspec
from fastapi.responses import Response

from assay.errors import InvalidInputError, UsageError
from assay.results.charts import Spec

Form = Literal["json", "svg", "png"]
_LOCK = threading.Lock()
_VEGA_LITE = "6.4"
_LARGEST = 24 << 20


def picture(spec: Spec, form: Form) -> Response:
    """A chart in one of its forms.

    Args:
        spec: Vega-Lite, with its data in it.
        form: ``json``, ``svg`` or ``png``.

    Raises:
        UsageError: for a chart of too many points to be drawn here.
    """
    if form == "json":
        return Response(msgspec.json.encode(spec), media_type="application/json")
    text = msgspec.json.encode(spec)
    if len(text) > _LARGEST:
        raise UsageError("too many points for a picture", hint="filter more, or take the data as CSV or Parquet")
    # The renderer is one engine with one thread; nothing outside the specification is ever loaded.
    import vl_convert

    with _LOCK:
        try:
            if form == "svg":
                drawn: str | bytes = vl_convert.vegalite_to_svg(
                    text.decode(), vl_version=_VEGA_LITE, allowed_base_urls=[]
                )
                return Response(drawn, media_type="image/svg+xml")
            drawn = vl_convert.vegalite_to_png(text.decode(), vl_version=_VEGA_LITE, scale=2, allowed_base_urls=[])
            return Response(drawn, media_type="image/png")
        except ValueError as error:
            raise InvalidInputError("the chart cannot be drawn", found=str(error)[:200]) from error
