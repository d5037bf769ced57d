// The file side of discovery: where programs are. Runs on a worker thread.
#include "backend/agents/agentdiscovery.h"

#include <QDir>
#include <QFileInfo>
#include <QStandardPaths>

namespace foundry::backend {

namespace {

QString lookupIn(const QStringList &directories, const QString &program)
{
    if (program.contains(QLatin1Char('/')))
        return QFileInfo(program).isExecutable() && QFileInfo(program).isFile() ? QFileInfo(program).absoluteFilePath() : QString();
    QStringList absolute;
    for (const QString &directory : directories) {
        // A relative entry of PATH would mean something else in every work tree.
        if (QDir::isAbsolutePath(directory))
            absolute.append(directory);
    }
    // With an empty list Qt would search PATH of this process instead.
    return absolute.isEmpty() ? QString() : QStandardPaths::findExecutable(program, absolute);
}

} // namespace

QHash<AgentId, FoundAgent> lookForAgents(const DiscoveryConfig &config, const QList<AgentRow> &rows)
{
    const QStringList path
        = config.environment.value(QStringLiteral("PATH")).split(QDir::listSeparator(), Qt::SkipEmptyParts);
    QHash<AgentId, FoundAgent> all;
    for (const AgentRow &row : rows) {
        FoundAgent found;
        if (row.builtin) {
            found.program = lookupIn({config.programDirectory}, row.program);
            found.source = AgentSource::Builtin;
            all.insert(row.id, found);
            continue;
        }
        // The app's own copy first: it is the pinned version.
        const QString own = config.dataDirectory + QStringLiteral("/agents/") + row.id.value + QStringLiteral("/node_modules/.bin");
        if (!row.install.package.isEmpty())
            found.program = lookupIn({own}, row.program);
        if (!found.program.isEmpty()) {
            found.source = AgentSource::Installed;
        } else {
            found.program = lookupIn(path, row.program);
            found.source = row.install.package.isEmpty() ? AgentSource::Custom : AgentSource::Path;
        }
        for (const QString &companion : row.companions) {
            if (found.companion.isEmpty())
                found.companion = lookupIn(path, companion);
        }
        all.insert(row.id, found);
    }
    return all;
}

} // namespace foundry::backend
