"""Static files for a server: compressed, and named by their content so that browsers keep them for ever."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # has no types
    """Also rewrites what our JavaScript modules import, so that a new version is never mixed with an old one."""

    support_js_module_import_aggregation = True
