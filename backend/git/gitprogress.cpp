#include "backend/git/gitprogress.h"

#include <QRegularExpression>

#include <algorithm>

namespace foundry::backend {

namespace {

struct ProgressPhase {
    QLatin1StringView name;
    double from;
    double to;
    QLatin1StringView text;
};

// Shares of the whole, roughly as large clones spend their time.
constexpr ProgressPhase progressPhases[] = {
    {QLatin1StringView("Enumerating objects"), 0.0, 0.01, QLatin1StringView("The server is counting")},
    {QLatin1StringView("Counting objects"), 0.0, 0.03, QLatin1StringView("The server is counting")},
    {QLatin1StringView("Compressing objects"), 0.03, 0.08, QLatin1StringView("The server is packing")},
    {QLatin1StringView("Receiving objects"), 0.08, 0.75, QLatin1StringView("Downloading")},
    {QLatin1StringView("Unpacking objects"), 0.08, 0.95, QLatin1StringView("Unpacking")},
    {QLatin1StringView("Resolving deltas"), 0.75, 0.97, QLatin1StringView("Unpacking")},
    {QLatin1StringView("Checking connectivity"), 0.97, 0.99, QLatin1StringView("Checking")},
    {QLatin1StringView("Updating files"), 0.97, 1.0, QLatin1StringView("Writing files")},
};

const ProgressPhase *progressPhase(const QString &name)
{
    const auto found = std::find_if(std::begin(progressPhases), std::end(progressPhases),
        [&name](const ProgressPhase &phase) { return name == phase.name; });
    return found == std::end(progressPhases) ? nullptr : found;
}

} // namespace

std::optional<GitProgress> parseGitProgress(const QByteArray &line)
{
    static const QRegularExpression form(QStringLiteral("^(?:remote: )?([A-Z][A-Za-z ]+): +(\\d{1,3})% \\(\\d+/\\d+\\)"));
    const QRegularExpressionMatch match = form.match(QString::fromUtf8(line));
    if (!match.hasMatch())
        return std::nullopt;
    return GitProgress{match.captured(1), std::clamp(match.captured(2).toInt() / 100.0, 0.0, 1.0)};
}

double cloneFraction(const GitProgress &step)
{
    const ProgressPhase *phase = progressPhase(step.phase);
    return phase ? phase->from + (phase->to - phase->from) * step.fraction : 0;
}

QString clonePhaseText(const QString &phase)
{
    const ProgressPhase *known = progressPhase(phase);
    return known ? QString(known->text) : phase;
}

} // namespace foundry::backend
