"""Finds measurements that cannot be right, and checks what a report says about them."""
from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path
from statistics import linear_regression, median
from typing import TypedDict

from baton_client import Agent, PermanentTaskError, TaskContext

agent = Agent('analyst', capabilities=['python'], capacity=2)


class Measurement(TypedDict):
    time: str
    celsius: float


class Table(TypedDict):
    room: str
    rows: list[Measurement]


class Room(TypedDict):
    room: str
    count: int
    median: float
    trendPerDay: float
    outliers: list[Measurement]


class FindOutliers(TypedDict):
    tables: list[Table]
    limit: float


class CheckReport(TypedDict):
    file: str
    rooms: list[Room]


@agent.task('find-outliers')
async def find_outliers(given: FindOutliers, ctx: TaskContext) -> dict[str, list[Room]]:
    rooms: list[Room] = []
    for number, table in enumerate(given['tables']):
        ctx.progress(100 * number / len(given['tables']), table['room'])
        rooms.append(look_through(table, given['limit']))
    found = sum(len(room['outliers']) for room in rooms)
    ctx.artifact('findings', {'rooms': rooms, 'outliers': found})
    ctx.note('number', f'{found} of {sum(room["count"] for room in rooms)} measurements cannot be right.')
    ctx.summary(f'{found} measurements cannot be right.')
    return {'rooms': rooms}


def look_through(table: Table, limit: float) -> Room:
    """The modified z-score tells outliers apart without being moved by them; above 3.5 a value is one.

    https://www.itl.nist.gov/div898/handbook/eda/section3/eda35h.htm
    """
    if len(table['rows']) < 3:
        raise PermanentTaskError(f'{table["room"]} has too few measurements to judge any.', code='too_few')
    values = [row['celsius'] for row in table['rows']]
    middle = median(values)
    spread = median(abs(value - middle) for value in values)
    outliers = [row for row in table['rows'] if 0.6745 * abs(row['celsius'] - middle) > limit * spread]
    sound = [row for row in table['rows'] if row not in outliers]
    days = [datetime.fromisoformat(row['time']).timestamp() / 86_400 for row in sound]
    trend = linear_regression(days, [row['celsius'] for row in sound]).slope
    return {'room': table['room'], 'count': len(values), 'median': middle, 'trendPerDay': trend, 'outliers': outliers}


# A plain function runs in a thread of its own: it may read files and compute as long as it likes.
@agent.task('check-report')
def check_report(given: CheckReport, ctx: TaskContext) -> dict[str, int]:
    folder = ctx.workspace or Path()
    report = (folder / given['file']).read_text(encoding='utf-8')
    claimed = [line[2:] for line in report.splitlines() if line.startswith('- ')]
    measured = {f'{time}: {celsius:.1f} °C' for file in folder.glob('*.csv') for time, celsius in read_rows(file)}
    invented = [line for line in claimed if line not in measured]
    missing = sum(len(room['outliers']) for room in given['rooms']) - len(claimed)
    mistakes = len(invented) + abs(missing)
    ctx.artifact('report_check', {'mistakes': mistakes, 'claims': len(claimed)})
    ctx.summary(f'Looked up {len(claimed)} claims of the report; {mistakes} are wrong.')
    return {'claims': len(claimed), 'mistakes': mistakes}


def read_rows(file: Path) -> list[tuple[str, float]]:
    with file.open(encoding='utf-8', newline='') as lines:
        return [(row['time'].replace('Z', ':00Z'), float(row['celsius'])) for row in csv.DictReader(lines)]


if __name__ == '__main__':
    agent.run()
