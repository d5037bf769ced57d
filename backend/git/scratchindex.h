// Index files of our own, so that comparing never writes the work tree's. One scratch folder per operation, removed with
// it. Small blocking file work: the index is copied once (2 MB for 20,000 files).
#pragma once

#include "models/types/result.h"

#include <QByteArray>
#include <QMap>
#include <QTemporaryDir>

#include <memory>

namespace foundry::backend {

class ScratchIndex {
public:
    // Empty scratchDir: the system's temporary folder.
    static Result<std::shared_ptr<ScratchIndex>> make(const QString &scratchDir);

    // A copy with the same modification time: git tells by it which entries it must not trust. No index: none is made.
    Result<> copyIndex(const QString &index, const QString &as = QStringLiteral("index"));
    QString path(const QString &name) const { return m_dir.filePath(name); }
    // For git runs on the copy.
    QMap<QString, QString> copyEnvironment(const QString &as = QStringLiteral("index")) const;

    // An index that has untracked files as empty ones, so that a comparison shows all their lines as new.
    // objectFormat: sha1 or sha256. Returns the input for `git update-index -z --index-info`.
    Result<QByteArray> emptyEntries(const QList<QByteArray> &paths, const QString &objectFormat);
    QMap<QString, QString> emptyEnvironment() const;

private:
    explicit ScratchIndex(const QString &scratchTemplate)
        : m_dir(scratchTemplate)
    {
    }
    QTemporaryDir m_dir;
};

} // namespace foundry::backend
