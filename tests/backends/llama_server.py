"""A real llama.cpp server: ``python llama_server.py MODEL [PLACES]`` says its address and serves until its input ends."""

from __future__ import annotations

import sys


def main() -> None:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = sys.argv[1]
    places = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    params.n_parallel, params.n_ctx = places, 512 * places
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.verbosity, params.warmup, params.fit_params, params.cache_ram_mib = -1, False, False, 0
    server = xllamacpp.Server(params)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
