#include "backend/git/gittrust.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFile>
#include <QFileInfo>

#include <algorithm>

namespace foundry::backend {

namespace {

constexpr qint64 trustHookBytes = 1 << 20; // of a hook; the rest of a larger one counts by its size
constexpr qsizetype trustMostHooks = 100;

// Each part with its length, so that no two lists read alike.
void trustAdd(QCryptographicHash &hash, const QByteArray &part)
{
    hash.addData(QByteArray::number(part.size()) + ':');
    hash.addData(part);
}

} // namespace

OwnPrograms ownPrograms(const QList<ScopedSetting> &settings, const QString &commonDir, const QString &topLevel)
{
    OwnPrograms own;
    QCryptographicHash hash(QCryptographicHash::Sha256);
    QString folder = commonDir + QStringLiteral("/hooks");
    bool anything = false;
    for (const ScopedSetting &setting : settings) {
        // What our own call sets (alwaysSettings: no hooks) says nothing about the repository.
        if (setting.scope == QLatin1StringView("command"))
            continue;
        if (setting.key == QLatin1StringView("core.hookspath") && !setting.value.isEmpty())
            folder = setting.value.startsWith(QLatin1StringView("~/")) ? QDir::homePath() + setting.value.mid(1)
                : QDir::isAbsolutePath(setting.value)                  ? setting.value
                                                                       : topLevel + QLatin1Char('/') + setting.value;
        if (!namesProgramOfRepository(setting))
            continue;
        anything = true;
        own.names.append(setting.key);
        trustAdd(hash, setting.key.toUtf8());
        trustAdd(hash, setting.value.toUtf8());
    }
    trustAdd(hash, "hooks");
    const QFileInfoList hooks = QDir(folder).entryInfoList(QDir::Files | QDir::Executable, QDir::Name);
    for (const QFileInfo &hook : hooks.first(qMin(hooks.size(), trustMostHooks))) {
        if (hook.fileName().endsWith(QLatin1StringView(".sample")))
            continue;
        QFile file(hook.filePath());
        if (!file.open(QIODevice::ReadOnly))
            continue;
        anything = true;
        own.hooksPath = folder;
        own.names.append(hook.fileName());
        trustAdd(hash, hook.fileName().toUtf8());
        trustAdd(hash, QByteArray::number(hook.size()));
        trustAdd(hash, file.read(trustHookBytes));
    }
    own.names.removeDuplicates();
    if (anything)
        own.version = QString::fromLatin1(hash.result().toHex().left(32));
    return own;
}

} // namespace foundry::backend
