"""A small server with the part of the Hugging Face hub's interface that pushing and fetching a model needs."""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class HubServer(ThreadingHTTPServer):
    """Holds repositories in memory: for each, its files at each revision; "main" is the newest."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Answers)
        self.repositories: dict[str, dict[str, dict[str, bytes]]] = {}

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def commit(self, repository: str, files: dict[str, bytes]) -> str:
        """Add files to what "main" holds; returns the new commit."""
        revisions = self.repositories[repository]
        newest = {**revisions["main"], **files}
        digest = hashlib.sha1(json.dumps({name: hash_of(data) for name, data in newest.items()}).encode())
        revisions["main"] = revisions[digest.hexdigest()] = newest
        return digest.hexdigest()

    def commit_of(self, repository: str, revision: str) -> str:
        revisions = self.repositories[repository]
        files = revisions[revision]
        return next(name for name, held in revisions.items() if held is files and name != "main")


def hash_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@contextmanager
def running_hub() -> Iterator[HubServer]:
    server = HubServer()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class _Answers(BaseHTTPRequestHandler):
    server: HubServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/api/repos/create":
            facts = json.loads(body)
            name = f"{facts['organization']}/{facts['name']}" if facts.get("organization") else facts["name"]
            self.server.repositories.setdefault(name, {"main": {}})
            self._json({"url": f"{self.server.address}/{name}", "id": name, "name": name})
        elif self.path == "/api/validate-yaml":
            self._json({"errors": [], "warnings": []})
        elif match := re.fullmatch(r"/api/models/(.+)/preupload/.+", self.path):
            files = [
                {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False, "oid": None}
                for file in json.loads(body)["files"]
            ]
            self._json({"files": files})
        elif match := re.fullmatch(r"/api/models/(.+)/commit/.+", self.path):
            lines = [json.loads(line) for line in body.splitlines() if line]
            files = {
                line["value"]["path"]: base64.b64decode(line["value"]["content"])
                for line in lines
                if line["key"] == "file"
            }
            commit = self.server.commit(match[1], files)
            url = f"{self.server.address}/{match[1]}/commit/{commit}"
            self._json({"commitUrl": url, "commitOid": commit, "hookOutput": ""})
        else:
            self._missing()

    def do_GET(self) -> None:
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)/revision/([^?]+).*", self.path):
            self._revision(match[1], match[2])
        elif match := re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/([^?/]+).*", self.path):
            files = self.server.repositories.get(match[1], {}).get(match[2], {})
            self._json(
                [
                    {"type": "file", "path": name, "size": len(data), "oid": hash_of(data)[:40]}
                    for name, data in files.items()
                ]
            )
        elif match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", self.path):
            self._file(match[1], match[2], match[3])
        else:
            self._missing()

    do_HEAD = do_GET

    def _revision(self, repository: str, revision: str) -> None:
        files = self.server.repositories.get(repository, {}).get(revision)
        if files is None:
            self._missing()
            return
        sha = self.server.commit_of(repository, revision)
        self._json({"id": repository, "sha": sha, "siblings": [{"rfilename": name} for name in files]})

    def _file(self, repository: str, revision: str, name: str) -> None:
        data = self.server.repositories.get(repository, {}).get(revision, {}).get(name)
        if data is None:
            self._missing()
            return
        commit = self.server.commit_of(repository, revision)
        headers = {"ETag": f'"{hash_of(data)}"', "X-Repo-Commit": commit}
        self._send(200, data, "application/octet-stream", headers)

    def _json(self, value: object) -> None:
        self._send(200, json.dumps(value).encode(), "application/json", {})

    def _missing(self) -> None:
        self._send(404, b"{}", "application/json", {"X-Error-Code": "RepoNotFound"})

    def _send(self, status: int, body: bytes, kind: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Type": kind, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing is printed."""
