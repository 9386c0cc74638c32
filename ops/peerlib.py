"""What the scripts share that measure the peers beside us: servers on free loopback ports, and their data."""
import contextlib, os, shutil, socket, subprocess, sys, time, urllib.request


def say(text):
    print(text, file=sys.stderr, flush=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def disk_bytes(folder):
    """What the files take on disk, as du counts."""
    return int(subprocess.run(["du", "-s", "--block-size=1", folder], capture_output=True, check=True).stdout.split()[0])


def fresh(work, name):
    folder = os.path.join(work, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    return folder


def wait_for(url, process, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit(f"the server for {url} ended with {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.02)
    sys.exit(f"{url} does not answer")


def get(url):
    with urllib.request.urlopen(url, timeout=600) as answer:
        return answer.read()


class Address(str):
    """Of a server, with its process."""
    process = None

    def cpu_seconds(self):
        """Processor time so far, of all threads."""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def server(command, port, health, **options):
    """A server that listens on 127.0.0.1:port until the end of the block; yields its address."""
    options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} | options
    process = subprocess.Popen(command, **options)
    try:
        wait_for(f"http://127.0.0.1:{port}{health}", process)
        address = Address(f"http://127.0.0.1:{port}")
        address.process = process
        yield address
    finally:
        process.terminate()
        process.wait(60)


def victoria_metrics(folder, *flags):
    port = free_port()
    return server(["victoria-metrics", f"-storageDataPath={folder}", f"-httpListenAddr=127.0.0.1:{port}",
                   "-retentionPeriod=100y", "-import.maxLineLen=200MB", "-loggerLevel=ERROR", *flags], port, "/health")


def prometheus(work, folder, *flags, configuration=""):
    port = free_port()
    settings = os.path.join(work, "prometheus.yml")
    with open(settings, "w") as file:
        file.write(configuration)
    return server(["prometheus", f"--config.file={settings}", f"--storage.tsdb.path={folder}",
                   "--storage.tsdb.retention.time=100y", f"--web.listen-address=127.0.0.1:{port}", *flags], port,
                  "/-/ready")


def poyang(programs, work, folder, *flags):
    port = free_port()
    return server([os.path.join(programs, "poyang"), "serve", "--data", folder, "--devices", fresh(work, "no-devices"),
                   "--rules", fresh(work, "no-rules"), "--listen", f"127.0.0.1:{port}", *flags], port, "/-/healthy",
                  cwd=fresh(work, "nowhere"))


def victoria_metrics_import(base, source):
    subprocess.run(["curl", "-sf", "-X", "POST", "-T", source, base + "/api/v1/import"], check=True)
    get(base + "/internal/force_flush")


def poyang_import(programs, work, folder, source):
    """By the command an operator uses, until it returns compacted."""
    command = [os.path.join(programs, "poyang"), "import", "--format", "vm-jsonl", "--data", folder,
               "--devices", fresh(work, "no-devices"), "--rules", fresh(work, "no-rules"), source]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=fresh(work, "nowhere"))
    if done.returncode:
        sys.exit(f"poyang import failed: {done.stderr.decode()}")


def prometheus_import(folder, source):
    """Backfilled by promtool from OpenMetrics."""
    subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=24h", source, folder],
                   stdout=subprocess.DEVNULL, check=True)


def generate(programs, work, name, form, series, days, start):
    """The sensors' data in one of the formats of `poyang-bench data`; where it is, and how many samples."""
    import json
    path = os.path.join(work, name)
    made = subprocess.run(
        [os.path.join(programs, "poyang-bench"), "data", "--series", str(series), "--days", str(days), "--format", form,
         "--start", str(start), "--output", path], capture_output=True, check=True)
    return path, json.loads(made.stdout)["samples"]
