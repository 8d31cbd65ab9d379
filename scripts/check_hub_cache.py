#!/usr/bin/env python3
"""Checks that avizor and Python's huggingface_hub share one cache: each finds, without the network, what the other fetched.

    python3 scripts/check_hub_cache.py target/debug/avizor       # needs huggingface_hub

A server on this machine plays the hub, with a large file (its ETag a SHA-256, its content on another port) and a small one.
"""
import hashlib
import http.server
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY = "timm/tiny"
LARGE = bytes(i * 7919 % 251 for i in range(300_000))
SMALL = b"{}\n"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, headers, body=b""):
        self.send_response(status)
        for name, value in {"Content-Length": len(body), **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


class Cdn(Handler):
    def do_GET(self):
        start = int(self.headers.get("Range", "bytes=0-")[len("bytes="):].split("-")[0])
        part = {"Content-Range": f"bytes {start}-{len(LARGE) - 1}/{len(LARGE)}"} if start else {}
        self.answer(206 if start else 200, part, LARGE[start:])


class Hub(Handler):
    cdn = None

    def do_GET(self):
        file = {f"/{REPOSITORY}/resolve/{revision}/": revision for revision in ("main", COMMIT)}
        name = next((self.path[len(prefix):] for prefix in file if self.path.startswith(prefix)), None)
        commit = {"X-Repo-Commit": COMMIT}
        if name == "weights/model.safetensors":
            linked = {"X-Linked-Etag": f'"{hashlib.sha256(LARGE).hexdigest()}"', "X-Linked-Size": len(LARGE)}
            self.answer(302, {**commit, **linked, "Location": f"{self.cdn}/content", "ETag": '"redirect"'})
        elif name == "config.json":
            self.answer(200, {**commit, "ETag": f'"{hashlib.sha1(SMALL).hexdigest()}"'}, SMALL)
        else:
            self.answer(404, {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found"})

    do_HEAD = do_GET


def serve(handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def python(environment, name, offline):
    """The file, by huggingface_hub in a process of its own: it reads its environment once."""
    code = f"import huggingface_hub as h; print(h.hf_hub_download({REPOSITORY!r}, {name!r}, local_files_only={offline}))"
    return subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True).stdout.strip()


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    Hub.cdn = serve(Cdn)
    base = {**os.environ, "HF_ENDPOINT": serve(Hub), "HF_HUB_DISABLE_XET": "1", "NO_COLOR": "1"}
    for name in ("HF_HUB_OFFLINE", "HF_HUB_CACHE", "HF_TOKEN"):
        base.pop(name, None)
    for proxy in ("NO_PROXY", "no_proxy"):
        base[proxy] = "127.0.0.1"

    def avizor(environment, name):
        said = subprocess.run([program, "weights", "fetch", f"hf:{REPOSITORY}/{name}"], env=environment,
                              capture_output=True, text=True)
        assert said.returncode == 0, said.stderr
        return said.stdout.strip().split(": ", 1)[1]

    for name, content in (("weights/model.safetensors", LARGE), ("config.json", SMALL)):
        with tempfile.TemporaryDirectory() as home:
            here = {**base, "HF_HOME": home}
            ours = avizor(here, name)
            theirs = python({**here, "HF_HUB_OFFLINE": "1"}, name, True)
            assert pathlib.Path(ours) == pathlib.Path(theirs), (ours, theirs)
            assert pathlib.Path(theirs).read_bytes() == content
            assert python(here, name, False) == theirs, "online it finds the same"
        with tempfile.TemporaryDirectory() as home:
            here = {**base, "HF_HOME": home}
            theirs = python(here, name, False)
            ours = avizor({**here, "HF_HUB_OFFLINE": "1"}, name)
            assert pathlib.Path(ours) == pathlib.Path(theirs), (ours, theirs)
            assert pathlib.Path(ours).read_bytes() == content
        print(f"{name}: each finds what the other fetched")


if __name__ == "__main__":
    main()
