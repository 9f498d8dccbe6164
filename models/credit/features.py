"""From a row of the German credit CSV to the 24 numbers that the model reads.

Sex and marital status, nationality, age, dependants and telephone are left out on purpose: leaving
them out costs no measurable accuracy, and a lender should not need them. Amounts are in thousands, durations in years,
so that all features have similar sizes and fit one fixed-point scale.
"""

import csv
from pathlib import Path

import numpy as np

import common

DATA = Path(__file__).resolve().parent / "data" / "germancredit.csv"

SAVINGS = ["... < 100 DM", "100 <= ... < 500 DM", "500 <= ... < 1000 DM", "... >= 1000 DM"]
EMPLOYMENT = ["unemployed", "... < 1 year", "1 <= ... < 4 years", "4 <= ... < 7 years", "... >= 7 years"]


def one_of(column, *starts):
    """1 when the column's text starts with one of the given texts, otherwise 0."""
    return lambda row: float(row[column].startswith(starts))


def number(column, unit=1):
    return lambda row: float(row[column]) / unit


def rank(column, levels):
    """Position in an ordered list; texts outside the list (savings unknown) count as the first level."""
    return lambda row: float(levels.index(row[column])) if row[column] in levels else 0.0


def instalment(row):
    return float(row["credit_amount"]) / float(row["duration_in_month"]) / 100


CHECKING, HISTORY, DEBTORS = "status_of_existing_checking_account", "credit_history", "other_debtors_or_guarantors"
RATE = "installment_rate_in_percentage_of_disposable_income"

# (name, what the number means, how it is read); the order is the order of the input vector.
FEATURES = [
    ("no_checking_account", "1 if the applicant has no checking account", one_of(CHECKING, "no checking")),
    ("checking_overdrawn", "1 if the checking account is below 0 DM", one_of(CHECKING, "... < 0")),
    ("checking_low", "1 if the checking account holds 0 to 200 DM", one_of(CHECKING, "0 <=")),
    ("duration_years", "duration of the loan in years", number("duration_in_month", 12)),
    ("history_all_paid", "1 if there are no earlier credits, or all were paid back duly", one_of(HISTORY, "no credits", "all credits")),
    ("history_delay", "1 if payments were late in the past", one_of(HISTORY, "delay")),
    ("history_other_credits", "1 if credits exist at other banks (critical account)", one_of(HISTORY, "critical")),
    ("for_new_car", "1 if the loan buys a new car", one_of("purpose", "car (new)")),
    ("for_used_car", "1 if the loan buys a used car", one_of("purpose", "car (used)")),
    ("for_radio_tv", "1 if the loan buys a radio or television", one_of("purpose", "radio/")),
    ("for_education", "1 if the loan pays for education", one_of("purpose", "education")),
    ("amount_thousands", "amount of the loan in thousands of DM", number("credit_amount", 1000)),
    ("monthly_hundreds", "amount divided by months, in hundreds of DM", instalment),
    ("savings", "0 below 100 DM or unknown, 1 below 500, 2 below 1000, 3 from 1000 DM", rank("savings_account_and_bonds", SAVINGS)),
    ("savings_unknown", "1 if savings are unknown or there are none", one_of("savings_account_and_bonds", "unknown")),
    ("employment", "0 unemployed, 1 below one year, 2 below 4, 3 below 7, 4 from 7 years", rank("present_employment_since", EMPLOYMENT)),
    ("instalment_rate", "instalment as a share of income: 1 (below 20 %) to 4 (35 % and more)", number(RATE)),
    ("guarantor", "1 if somebody guarantees the loan", one_of(DEBTORS, "guarantor")),
    ("co_applicant", "1 if somebody applies together with the applicant", one_of(DEBTORS, "co-applicant")),
    ("real_estate", "1 if the applicant owns real estate", one_of("property", "real estate")),
    ("no_property", "1 if no property is known", one_of("property", "unknown")),
    ("other_plans", "1 if there are instalment plans at other banks or stores", one_of("other_installment_plans", "bank", "stores")),
    ("owns_home", "1 if the applicant lives in a home of their own", one_of("housing", "own")),
    ("existing_credits", "number of credits at this bank, 1 to 4", number("number_of_existing_credits_at_this_bank")),
]


def load():
    """Features as float32 [1000, 24], rounded to 4 decimals, and the outcome: 1 is a bad credit, 0 a good one."""
    with DATA.open(newline="") as file:
        rows = list(csv.DictReader(file))
    features = common.rounded([[read(row) for _, _, read in FEATURES] for row in rows])
    outcome = np.array([row["creditability"] == "bad" for row in rows], dtype=int)
    return features, outcome
