"""One page about the runs, without anything from elsewhere: plots are SVG."""

from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, BOTTOM = 880, 170, 64, 24, 26
COLOURS = ("#1f5fa8", "#c2571a", "#3a7d44")
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1c1e21; background: #fff; max-width: 960px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; } h3 { font-size: .95rem; font-weight: 600; margin: 1rem 0 .2rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 1rem 0; } .wide { overflow-x: auto; }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid #d9dce0; } th:first-child, td:first-child { text-align: left; }
svg { display: block; width: 100%; height: auto; } svg text { font: 12px system-ui, sans-serif; fill: #4a4f55; }
.legend span { margin-right: 1.2rem; } .legend i { display: inline-block; width: 1.2em; height: 3px; vertical-align: middle; margin-right: .4em; }
code { background: #f1f3f5; padding: 0 .25em; }
"""


def steps(most):
    """Where lines of a scale are: four or so, at round numbers."""
    unit = 10 ** len(str(int(most))) / 10 if most >= 1 else 0.1
    step = next(size * unit for size in (0.2, 0.25, 0.5, 1, 2, 5) if most / (size * unit) <= 5)
    return [step * index for index in range(int(most / step) + 2)]


def number(value):
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.3g}"


def plot(title, hours, lines, unit=""):
    """Lines over the hours of a day: each with a name and its values."""
    scale = steps(max(max(values) for _, values in lines) or 1)
    top = scale[-1]
    last = max(hours[-1], 1e-9)
    across = lambda hour: LEFT + hour / last * (WIDTH - LEFT - RIGHT)
    up = lambda value: HEIGHT - BOTTOM - value / top * (HEIGHT - BOTTOM - 10)
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">']
    for value in scale:
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{up(value):.1f}" y2="{up(value):.1f}" stroke="#e3e6e9"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{up(value) + 4:.1f}" text-anchor="end">{number(value)}{unit}</text>')
    for hour in range(0, int(last) + 1, 3):
        parts.append(f'<text x="{across(hour):.1f}" y="{HEIGHT - 6}" text-anchor="middle">{hour}:00</text>')
    for (_, values), colour in zip(lines, COLOURS):
        points = " ".join(f"{across(hour):.1f},{up(value):.1f}" for hour, value in zip(hours, values))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.4"/>')
    parts.append("</svg>")
    legend = "".join(f'<span><i style="background:{colour}"></i>{escape(name)}</span>' for (name, _), colour in zip(lines, COLOURS))
    return f'<h3>{escape(title)}</h3><div class="legend">{legend}</div>' + "".join(parts)


def plots(series):
    hours = [row[0] / 3600 for row in series]
    column = lambda index: [row[index] for row in series]
    return (
        plot("Queue length", hours, [("most within a minute", column(1))])
        + plot("Wait before a proof is begun", hours, [("longest within a minute", column(2))], " s")
        + plot("Workers", hours, [("busy", column(3)), ("there", column(4))])
        + plot("Requests a second", hours, [("expected", column(5))])
    )


ROWS = (
    ("requests", "requests", "{:,}"), ("p50", "latency_p50", "{} s"), ("p99", "latency_p99", "{} s"), ("longest", "latency_max", "{} s"),
    ("wait, p99", "wait_p99", "{} s"), ("longest queue", "longest_queue", "{:,}"), ("busy", "utilisation", "{:.1%}"), ("wasted", "wasted", "{:.2%}"),
    ("worker hours", "worker_hours", "{:,}"), ("lost leases", "lost_leases", "{:,}"), ("failures", "failures", "{:,}"),
    ("cold keys", "cold_starts", "{:,}"), ("dead", "dead", "{}"),
)


def bench_table(rows):
    """Measured rows of one machine, as Markdown."""
    lines = [
        "| model | workers | proofs a second | in the queue, p50 | p99 | at a worker, p50 | p99 | processor seconds a proof |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        times = [f"{row[key]:.2f} s" for key in ("queue_p50", "queue_p99", "worker_p50", "worker_p99")]
        cells = [f"`{row['model']}`", str(row["workers"]), f"{row['proofs_per_second']:.1f}", *times, f"{row['processor_seconds_a_proof']:.2f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def bench_bars(rows):
    """Proofs a second by number of workers, each model to its own scale, in colours of the page around it."""
    models = list(dict.fromkeys(row["model"] for row in rows))
    wide, tall, left, line = 640, 0, 150, 22
    parts = []
    for model in models:
        of_model = [row for row in rows if row["model"] == model]
        most = max(row["proofs_per_second"] for row in of_model)
        for row in of_model:
            length = row["proofs_per_second"] / most * (wide - left - 70)
            workers = f"{row['workers']} worker{'s' if row['workers'] > 1 else ''}"
            parts.append(f'<text x="{left - 8}" y="{tall + 15}" text-anchor="end">{escape(model)}, {workers}</text>')
            parts.append(f'<rect x="{left}" y="{tall + 3}" width="{length:.1f}" height="{line - 6}" opacity="0.55"/>')
            parts.append(f'<text x="{left + length + 6:.1f}" y="{tall + 15}">{row["proofs_per_second"]:.1f} /s</text>')
            tall += line
        tall += 8
    return (
        f'<svg viewBox="0 0 {wide} {tall}" role="img" aria-label="Proofs a second by number of workers" '
        f'style="max-width:{wide}px;width:100%" fill="currentColor" font-size="13">{"".join(parts)}</svg>\n')


def page(results, machine):
    """The page."""
    names = "".join(f"<th>{escape(result['name'])}</th>" for result in results)
    rows = "".join(
        f"<tr><td>{title}</td>" + "".join(f"<td>{form.format(result['figures'][key])}</td>" for result in results) + "</tr>"
        for title, key, form in ROWS)
    sections = "".join(
        f"<h2><code>{escape(result['name'])}</code>: {escape(result['title'])}</h2>{plots(result['series'])}" for result in results)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>A fleet, simulated</title><style>{STYLE}</style></head><body><h1>A fleet, simulated</h1>"
        f"<p>A day of requests, as discrete events, with times of proofs measured on {escape(machine)}. "
        "Latency is from the task's making to its proof, without the chain. <code>make fleet-figures</code> makes this page again.</p>"
        f'<div class="wide"><table><tr><th></th>{names}</tr>{rows}</table></div>{sections}</body></html>\n')
