#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How zfscope's time and memory grow: with the batch, the pictures, their size, the threads, the ranks.

    bench/scaling.py [batch] [pictures] [size] [threads] [ranks] [--zfscope build/cli/zfscope]

Prints a table of each. Time a picture should be flat over the number of pictures, and memory, too:
the program's own, without the pages of a packed data set, which is mapped and belongs to the
system's cache. Close other programs.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

POLL_S = 0.02


def own_memory(pid):
    """MiB of the process that no file backs; 0 once it has ended."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("RssAnon")) / 1024
    except (OSError, StopIteration):
        return 0


def watch(command):
    """Runs it; seconds, and the most memory of its own that was seen."""
    start, most = time.perf_counter(), 0
    with subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE) as process:
        while process.poll() is None:
            most = max(most, own_memory(process.pid))
            time.sleep(POLL_S)
        if process.returncode != 0:
            sys.exit(f"{' '.join(map(str, command))} failed:\n{process.stderr.read().decode()}")
    return time.perf_counter() - start, most


def bench(options, net, *words):
    """Medians over the rounds of images a second and MiB."""
    results = []
    for _ in range(options.rounds):
        done = subprocess.run([options.zfscope, "bench", str(net), "--json", *map(str, words)],
                              check=True, capture_output=True, text=True)
        results.append(json.loads(done.stdout))
    return [statistics.median(result[key] for result in results)
            for key in ("images_per_second", "peak_rss_mib", "plan_mib")]


def head(title, *columns):
    print(f"\n{title}\n\n| " + " | ".join(columns) + " |\n|" + "---|" * len(columns), flush=True)


def row(*cells):
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def by_batch(options, _):
    head("ZFNet, forward and training, by the batch", "batch", "forward img/s", "MiB",
         "training img/s", "MiB")
    for batch in (1, 2, 4, 8, 16, 32, 64, 128):
        forward, forward_mib, _ = bench(options, "zfnet", "--batch", batch, "--runs", 3)
        train, train_mib, _ = bench(options, "zfnet", "--mode", "train", "--batch", batch, "--runs",
                                    2, "--warm-up", 1)
        row(batch, f"{forward:.1f}", f"{forward_mib:.0f}", f"{train:.1f}", f"{train_mib:.0f}")


def by_pictures(options, folder):
    model = folder / "run" / "model.safetensors"
    subprocess.run([options.zfscope, "train", "zfnet64", "--data", "synth:", "--epochs", "0", "-o",
                    folder / "run"], check=True, capture_output=True)
    head("zfnet64 over packed pictures of 64 px, by their number", "pictures", "eval ms each",
         "MiB", "top ms each", "MiB")
    for count in options.pictures:
        data = folder / "data.pack"
        subprocess.run([options.zfscope, "pack", f"synth:train:{count}", data, "--net", "zfnet64"],
                       check=True, capture_output=True)
        cells = []
        for command in (["eval", model, "--data", data],
                        ["top", model, "--data", data, "--maps", "8", "-o", folder / "top"]):
            runs = [watch([options.zfscope, *command]) for _ in range(options.rounds)]
            cells += [f"{1000 * statistics.median(s for s, _ in runs) / count:.3f}",
                      f"{statistics.median(m for _, m in runs):.1f}"]
        row(count, *cells)
        os.unlink(data)


def by_size(options, folder):
    head("The layers of ZFNet up to conv5, forward, batch 16, by the picture's side", "px", "img/s",
         "Mpx/s", "plan MiB")
    shown = subprocess.run([options.zfscope, "info", "zfnet", "--json"], check=True,
                           capture_output=True, text=True)
    known = [layer["name"] for layer in json.loads(shown.stdout)["layers"]]
    spec = pathlib.Path(options.nets) / "zfnet.ini"
    text = spec.read_text(encoding="utf-8").split("[fc6]")[0]
    assert "fc6" in known and "[pool5]" in text
    for side in (64, 96, 128, 192, 224, 256, 384, 512):
        net = folder / "side.ini"
        net.write_text(text.replace("3x224x224", f"3x{side}x{side}").replace("size = 256",
                       f"size = {side}").replace("classes = 1000\n", ""), encoding="utf-8")
        rate, _, mib = bench(options, net, "--batch", 16, "--runs", 3)
        row(side, f"{rate:.1f}", f"{rate * side * side / 1e6:.1f}", f"{mib:.0f}")


def by_threads(options, _):
    head("ZFNet, batch 64, by threads", "threads", "forward img/s", "training img/s",
         "bf16 training img/s")
    for threads in range(1, len(os.sched_getaffinity(0)) + 1):
        cells = [bench(options, "zfnet", "--threads", threads, "--runs", 3, *words)[0]
                 for words in ([], ["--mode", "train"], ["--mode", "train", "--precision", "bf16"])]
        row(threads, *(f"{cell:.1f}" for cell in cells))


def training_rate(options, folder, launcher, *words):
    """Images a second of the second epoch, for the first one warms up."""
    run = folder / "run"
    shutil.rmtree(run, ignore_errors=True)
    command = [*launcher, options.zfscope, "train", "zfnet", "--data", f"synth:train:{3 * options.batch}",
               "--batch", options.batch, "--epochs", "2", "--save-every", "0", "-q", "-o", run, *words]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    return json.loads((run / "log.jsonl").read_text(encoding="utf-8").splitlines()[1])["images_per_second"]


def by_ranks(options, folder):
    if not shutil.which("mpirun"):
        print("\nranks: skipped, no mpirun")
        return
    mpirun = ["mpirun", *(["--allow-run-as-root"] if os.geteuid() == 0 else []), "-n", "2"]
    head(f"ZFNet, training, batch {options.batch}: two ranks of one thread against one process of two", "round",
         "one process, img/s", "two ranks, img/s", "share")
    shares = []
    for k in range(options.rounds):
        one = training_rate(options, folder, [], "--threads", 2)
        two = training_rate(options, folder, mpirun, "--threads", 1, "--shards", 2)
        shares.append(two / one)
        row(k + 1, f"{one:.1f}", f"{two:.1f}", f"{shares[-1]:.3f}")
    row("median", "", "", f"{statistics.median(shares):.3f}")


TABLES = {"batch": by_batch, "pictures": by_pictures, "size": by_size, "threads": by_threads,
          "ranks": by_ranks}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="*", choices=[[], *TABLES], metavar="TABLE",
                        help=f"{', '.join(TABLES)}; all unless named")
    parser.add_argument("--zfscope", default="build/cli/zfscope")
    parser.add_argument("--nets", default=pathlib.Path(__file__).resolve().parents[1] / "nets")
    parser.add_argument("--rounds", type=int, default=3, help="of which the median counts")
    parser.add_argument("--batch", type=int, default=64, help="of the ranks' table")
    parser.add_argument("--pictures", type=int, nargs="+", default=[1000, 5000, 20000, 50000])
    options = parser.parse_args()
    for name in options.tables or TABLES:
        with tempfile.TemporaryDirectory() as folder:
            TABLES[name](options, pathlib.Path(folder))


if __name__ == "__main__":
    main()
