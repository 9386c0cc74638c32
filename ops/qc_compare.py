"""Our quality tests beside ioos_qc's, one test at a time, on series of others. See ops/qc-compare."""

import csv
import datetime as dt
import gzip
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from ioos_qc import qartod

PROGRAM, DATA = sys.argv[1], pathlib.Path(sys.argv[2])
SUSPECT = {3, 4}
FRENCH = "wq/french_creek_do_5min_2012.csv"
CREEK = "river/usgs_01581752_event1_20180831.csv"
YEARS = "river/usgs_01581752_plumtree_5min_2016_2018.csv.gz"
OXYGEN, LEVEL = "dissolved_oxygen_milligrams_per_liter", "water_level_meters"
TEMPERATURE, TURBIDITY = "water_temperature_celsius", "turbidity_ntu"
# name, file, rows, column, metric, factor to the metric's unit
SERIES = [
    ("oxygen", FRENCH, "TOWN", "oxy", OXYGEN, 1),
    ("temperature", FRENCH, "TOWN", "temp", TEMPERATURE, 1),
    ("flood-level", CREEK, "", "gage_height_ft", LEVEL, 0.3048),
    ("flood-turbidity", CREEK, "", "turbidity_fnu", TURBIDITY, 1),
    ("years-level", YEARS, "", "gage_height_ft", LEVEL, 0.3048),
]
PHYSICAL = {OXYGEN: (0, 60), LEVEL: (-500, 9000), TEMPERATURE: (-10, 60), TURBIDITY: (0, 100000)}
# series, test, our parameters as YAML, ours as ioos_qc's
CASES = [
    ("oxygen", "gross_range", "{ min: 2, max: 9.5 }", dict(span=(2, 9.5))),
    ("oxygen", "rate_of_change", "{ limit: 2, per: 5m, confirm: 1h }", dict(threshold=2 / 300)),
    ("oxygen", "spike", "0.5", dict(threshold=0.5)),
    ("oxygen", "flat_line", "{ for: 20m, tolerance: 0.02 }", dict(seconds=1200, tolerance=0.02)),
    ("oxygen", "gap", "1h", dict(hours=1)),
    ("oxygen", "climatology", "[{ months: [9], min: 6.5, max: 9.5 }]", dict(month=9, span=(6.5, 9.5))),
    ("temperature", "gross_range", "{ min: 0, max: 20 }", dict(span=(0, 20))),
    ("temperature", "rate_of_change", "{ limit: 3.2, per: 5m, confirm: 1h }", dict(threshold=3.2 / 300)),
    ("temperature", "spike", "1", dict(threshold=1)),
    ("temperature", "gap", "1h", dict(hours=1)),
    ("flood-level", "rate_of_change", "{ limit: 1, per: 5m, confirm: 1h }", dict(threshold=1 / 300)),
    ("flood-level", "spike", "0.3", dict(threshold=0.3)),
    ("flood-level", "flat_line", "{ for: 12h }", dict(seconds=43200, tolerance=0)),
    ("flood-turbidity", "spike", "200", dict(threshold=200)),
    ("years-level", "rate_of_change", "{ limit: 0.2, per: 5m, confirm: 5m }", dict(threshold=0.2 / 300)),
    ("years-level", "spike", "0.03", dict(threshold=0.03)),
    ("years-level", "flat_line", "{ for: 12h }", dict(seconds=43200, tolerance=0)),
    ("years-level", "gap", "1h", dict(hours=1)),
]


def rows(name):
    opener = gzip.open if name.endswith(".gz") else open
    with opener(DATA / name, "rt", encoding="utf-8-sig") as file:
        yield from csv.DictReader(file)


def time(row):
    if "time_utc" in row:
        return dt.datetime.fromisoformat(row["time_utc"].replace("Z", "+00:00"))
    text = row["date"] + " " + row["time"]
    return dt.datetime.strptime(text, "%m/%d/%Y %H:%M:%S").replace(tzinfo=dt.timezone.utc)


def series(name, file, picked, column, metric, factor):
    """Times in ms and values; of two at one time the first, as our store has it."""
    values = {}
    for row in rows(file):
        if picked and row["sonde"] != picked or row[column] in ("", "NA"):
            continue
        values.setdefault(int(time(row).timestamp() * 1000), round(float(row[column]) * factor, 9))
    times = sorted(values)
    return times, [values[t] for t in times]


def peer(test, metric, times, values, given):
    """Which values ioos_qc flags."""
    stamps = np.array(times, dtype="datetime64[ms]").astype("datetime64[ns]")
    low, high = PHYSICAL[metric]
    if test == "gross_range":
        return qartod.gross_range_test(values, fail_span=(low, high), suspect_span=given["span"])
    if test == "rate_of_change":
        return qartod.rate_of_change_test(values, stamps, threshold=given["threshold"])
    if test == "spike":
        return qartod.spike_test(values, suspect_threshold=given["threshold"], method="differential")
    if test == "flat_line":
        # Its range must be below the tolerance, ours not above it.
        return qartod.flat_line_test(values, stamps, given["seconds"], 10**9, given["tolerance"] + 1e-9)
    if test == "gap":
        return qartod.time_gap_test(np.ma.asarray(stamps), fail_span=given["hours"])
    # Months in local time (+08:00), as ours.
    local = stamps + np.timedelta64(8, "h")
    config = qartod.ClimatologyConfig()
    config.add(tspan=(given["month"], given["month"]), vspan=given["span"], period="month")
    return qartod.climatology_test(config, values, local, np.zeros(len(values)))


def explain(test, place, values, ours, theirs, physical, beside):
    """Why one value is flagged by one of the two only; None where nothing explains it."""
    low, high = physical
    if ours and not low <= values[place] <= high:
        return "outside physical bounds: our flag 4 is set beside every test"
    if test == "rate_of_change":
        if ours:
            return "after a jump ours doubts what follows until it is back or confirmed"
        return "ours takes the way back from a jump for sound"
    if test == "spike" and beside:
        return "beside a spike: ours compares with believed values only"
    if test == "spike" and theirs:
        if any(not low <= v <= high for v in values[max(0, place - 1) : place + 2]):
            return "beside an impossible value, which ours leaves out"
        return "a neighbour more than 2.5 intervals away tells nothing to ours"
    if test == "flat_line":
        return "its window is a number of values, ours a time: they differ beside gaps and uneven steps"
    if test == "gap" and theirs and place == 0:
        return "the first value inherits the flag of the second"
    return None


def poyang(*arguments):
    run = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"poyang {' '.join(arguments)}: {run.stderr}")
    return run.stdout


def main():
    loaded = {entry[0]: (entry, *series(*entry)) for entry in SERIES}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        sites = folder / "Devices/sites/qc"
        sites.mkdir(parents=True)
        history = folder / "history.csv"
        with open(history, "w") as out:
            out.write("time_ms,metric,value,site\n")
            for name, test, parameters, _ in CASES:
                (_, _, _, _, metric, _), times, values = loaded[name]
                site = f"{name}.{test}"
                (sites / f"{site}.yaml").write_text(
                    f"site: {site}\nname: {site}\nkind: river\n"
                    f"qc: {{ {metric}: {{ {test}: {parameters} }} }}\n"
                    f"devices: [{{ id: {site}-1, model: generic/json, interval: 5m }}]\n"
                )
                out.writelines(f"{t},{metric},{v!r},{site}\n" for t, v in zip(times, values))
        common = ["--data", str(folder / "data"), "--devices", str(folder / "Devices")]
        poyang("import", "--format", "csv", str(history), *common)
        answer = poyang("qc", "run", "--match", '{site=~".+"}', "--values", "--json", *common)
    flagged = {}
    for row in json.loads(answer):
        moment = round(dt.datetime.fromisoformat(row["time"]).timestamp() * 1000)
        flagged.setdefault(row["site"], set()).add(moment)

    print("| series | test | values | both | ours only | ioos_qc only | why they differ |")
    print("|---|---|---:|---:|---:|---:|---|")
    unexplained = 0
    for name, test, _, given in CASES:
        (_, _, _, _, metric, _), times, values = loaded[name]
        ours = np.array([t in flagged.get(f"{name}.{test}", set()) for t in times])
        flags = np.ma.filled(peer(test, metric, times, values, given), 9)
        theirs = np.isin(flags, list(SUSPECT))
        why = {}
        for place in np.flatnonzero(ours != theirs):
            reason = explain(test, place, values, ours[place], theirs[place], PHYSICAL[metric], (ours | theirs)[[place - 1, place + 1]].any())
            if reason is None:
                unexplained += 1
                reason = f"UNEXPLAINED at {times[place]} {values[place]}"
            why[reason] = why.get(reason, 0) + 1
        text = "; ".join(f"{reason} ({count})" for reason, count in sorted(why.items()))
        both, only, other = (ours & theirs).sum(), (ours & ~theirs).sum(), (~ours & theirs).sum()
        print(f"| {name} | {test} | {len(times)} | {both} | {only} | {other} | {text} |")
    sys.exit(1 if unexplained else 0)


main()
