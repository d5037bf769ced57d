// A row of the performance table: what is measured, what it may cost, and what the platform itself costs, taken in the
// same run so that their ratio means something on any machine.
#pragma once

#include "models/types/result.h"

#include <QList>
#include <QString>
#include <functional>
#include <optional>

namespace foundry::bench {

struct Measurement {
    QList<double> samples;        // one per run, in the row's unit
    std::optional<double> floor;  // the platform's own cost, same unit
    QString note;                 // what was measured instead, sizes, how the samples were taken
};

struct Options {
    bool isShort = false; // fewer runs and shorter watching: for a quick look and for the smoke test
    int runs() const { return isShort ? 2 : 5; }
};

struct Row {
    QString id;     // as in the table of budgets, e.g. "S1"; a part of a row is "H1b"
    QString what;
    QString unit;   // ms, MB, %, events/s, bytes
    double budget = 0;
    bool moreIsBetter = false;
    std::function<Result<Measurement>(const Options &)> measure;
    bool onlyWhenNamed = false; // takes minutes
};

// Every row, in the order of the table.
QList<Row> startRows();
QList<Row> costRows();
QList<Row> hostRows();
QList<Row> loadRows();
QList<Row> transcriptRows();
QList<Row> clientRows();
QList<Row> buildRows();

} // namespace foundry::bench
