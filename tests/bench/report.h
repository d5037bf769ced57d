// Prints the table, writes it as JSON, compares it with an older one.
#pragma once

#include "tests/bench/row.h"

#include <QJsonObject>

namespace foundry::bench {

struct Finished {
    Row row;
    Result<Measurement> result;
};

double median(QList<double> samples);
double percentile(QList<double> samples, double p); // p in 0..1, nearest rank

void printHeader();
void printRow(const Finished &finished, const QJsonObject &older);
QJsonObject toJson(const QList<Finished> &all);
// Rows of an older JSON file by id; empty with an error text when it cannot be read.
Result<QJsonObject> readOlder(const QString &path);

} // namespace foundry::bench
