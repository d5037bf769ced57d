// A line of git's --progress output, e.g. "Receiving objects:  45% (450/1000), 1.20 MiB | 2.00 MiB/s". Pure.
#pragma once

#include <QByteArray>
#include <QString>
#include <optional>

namespace foundry::backend {

struct GitProgress {
    QString phase;       // "Receiving objects"
    double fraction = 0; // 0..1
    friend bool operator==(const GitProgress &, const GitProgress &) = default;
};

std::optional<GitProgress> parseGitProgress(const QByteArray &line);

// How far a clone is as a whole: its phases take very different times.
double cloneFraction(const GitProgress &step);
// The phase in our words ("Downloading").
QString clonePhaseText(const QString &phase);

} // namespace foundry::backend
