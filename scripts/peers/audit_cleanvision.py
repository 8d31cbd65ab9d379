"""Pictures a second of `avizor audit` beside CleanVision's, by turns.

    python scripts/peers/audit_cleanvision.py --program target/release/avizor --data pokemon150 [--rounds 5]

Both with as many processes or threads as the machine has cores. Prints medians, spread and ratio. The other rows are the audit without its
search for near-duplicates that were cropped, turned or mirrored, which CleanVision does not look for, and the audit of pictures that were
seen before. Needs `pip install cleanvision`.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

PEER = """
import sys
from cleanvision import Imagelab
lab = Imagelab(data_path=sys.argv[1])
lab.find_issues(n_jobs=int(sys.argv[2]), verbose=False)
print(len(lab.issues))
"""


def timed(command):
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return time.monotonic() - started, done.stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    cores = os.cpu_count()
    again = [options.program, "audit", options.data, "--json", "-q"]
    audit = [*again, "--no-cache"]
    timed(again)
    commands = {
        "CleanVision": [sys.executable, "-c", PEER, options.data, str(cores)],
        "avizor": audit,
        "avizor, no near-duplicates": [*audit, "--set", "data.near_duplicates=false"],
        "avizor, again": again,
    }
    seconds = {name: [] for name in commands}
    for _ in range(options.rounds):
        for name, command in commands.items():
            took, said = timed(command)
            seconds[name].append(took)
            if name == "CleanVision":
                pictures = int(said.split()[-1])
    peer = statistics.median(seconds["CleanVision"])
    print(f"{pictures} pictures, {cores} cores, {options.rounds} rounds by turns")
    print("| | seconds, median (least to most) | pictures/s | ratio |\n|---|---|---|---|")
    for name, took in seconds.items():
        median = statistics.median(took)
        print(f"| {name} | {median:.2f} ({min(took):.2f}–{max(took):.2f}) | {pictures / median:.0f} | {peer / median:.1f} |")


main()
