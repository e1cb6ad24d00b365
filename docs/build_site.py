"""Build the site of the course and the reference, build/site, and open it.

python docs/build_site.py
python docs/build_site.py --no-open --to FOLDER
"""

import argparse
import subprocess
import sys
import webbrowser
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--to", type=Path, default=HERE.parent / "build" / "site")
    parser.add_argument("--no-open", action="store_true", help="build only")
    given = parser.parse_args()
    site = given.to.resolve()
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet"]
    command += ["--jobs", "auto"]
    command += ["--fresh-env", "--write-all"]  # what pages print depends on the library
    command += ["--doctree-dir", site.with_name("doctrees"), HERE, site]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    said = [line for line in done.stderr.splitlines() if "[IPKernelApp]" not in line]
    print(*said, sep="\n", end="\n" * bool(said), file=sys.stderr)  # without the kernels' greetings
    if done.returncode:
        sys.exit(done.returncode)
    print(f"built {site / 'index.html'}")
    if not given.no_open:
        webbrowser.open((site / "index.html").as_uri())


if __name__ == "__main__":
    main()
