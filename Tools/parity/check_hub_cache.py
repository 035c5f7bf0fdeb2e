"""Reads or fills the hub's cache with Python's own hub client, for Tests/HubTests.

    check_hub_cache.py find REPO FILE...   what the client finds without network, as JSON
    check_hub_cache.py fetch REPO [FILE...]  fetches from HF_ENDPOINT: the files, or the whole snapshot

HF_HOME says which cache.
"""

import json
import os
import sys

import huggingface_hub
from huggingface_hub import hf_hub_download, scan_cache_dir, snapshot_download, try_to_load_from_cache


def find(repo, files):
    report = {"version": huggingface_hub.__version__}
    report["snapshot"] = snapshot_download(repo, local_files_only=True)
    report["files"] = {name: hf_hub_download(repo, name, local_files_only=True) for name in files}
    for name, path in report["files"].items():
        assert try_to_load_from_cache(repo, name) == path, (name, path)
    missing = try_to_load_from_cache(repo, "preprocessor_config.json")
    report["preprocessor_known_absent"] = not isinstance(missing, str) and missing is not None
    cache = scan_cache_dir()
    report["warnings"] = [str(warning) for warning in cache.warnings]
    report["refs"] = {ref: revision.commit_hash
                      for found in cache.repos if found.repo_id == repo
                      for revision in found.revisions for ref in revision.refs}
    return report


def fetch(repo, files):
    if files:
        return {"files": {name: hf_hub_download(repo, name) for name in files}}
    return {"snapshot": snapshot_download(repo)}


action, repo, *files = sys.argv[1:]
print(json.dumps({"find": find, "fetch": fetch}[action](repo, files)))
