#include "backend/git/scratchindex.h"

#include "backend/git/giterror.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QStorageInfo>

#include <sys/stat.h>

namespace foundry::backend {

namespace {

// The ids of a file without a byte.
constexpr QLatin1StringView scratchEmptySha1("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
constexpr QLatin1StringView scratchEmptySha256("473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813");

constexpr qint64 scratchFullBelow = 64 * 1024;

Error scratchError(const QFile &file)
{
    // A write that was cut short says nothing about why.
    if (QStorageInfo(QFileInfo(file).absolutePath()).bytesAvailable() < scratchFullBelow)
        return gitErrorOf(QLatin1StringView("no_space"), QStringLiteral("There is no space left for temporary files."), file.fileName());
    return gitErrorOf(QLatin1StringView("failed"), QStringLiteral("A temporary file could not be written: %1.").arg(file.errorString()), file.fileName());
}

} // namespace

Result<std::shared_ptr<ScratchIndex>> ScratchIndex::make(const QString &scratchDir)
{
    const QString parent = scratchDir.isEmpty() ? QDir::tempPath() : scratchDir;
    QDir().mkpath(parent);
    std::shared_ptr<ScratchIndex> scratch(new ScratchIndex(parent + QStringLiteral("/foundry-index-XXXXXX")));
    if (!scratch->m_dir.isValid())
        return gitErrorOf(QLatin1StringView("failed"),
            QStringLiteral("No temporary folder could be made in “%1”: %2.").arg(parent, scratch->m_dir.errorString()));
    return scratch;
}

Result<> ScratchIndex::copyIndex(const QString &index, const QString &as)
{
    QFile from(index);
    if (!from.exists())
        return Unit{};
    QFile to(m_dir.filePath(as));
    struct stat times = {};
    // Git replaces the index by renaming, so an opened one stays whole.
    if (!from.open(QIODevice::ReadOnly) || ::fstat(from.handle(), &times) != 0)
        return scratchError(from);
    if (!to.open(QIODevice::WriteOnly | QIODevice::Truncate))
        return scratchError(to);
    const QByteArray bytes = from.readAll();
    if (to.write(bytes) != bytes.size() || !to.flush())
        return scratchError(to);
    const timespec stamps[2] = {times.st_atim, times.st_mtim};
    if (::futimens(to.handle(), stamps) != 0)
        return gitErrorOf(QLatin1StringView("failed"), QStringLiteral("A temporary file's time could not be set."), to.fileName());
    return Unit{};
}

QMap<QString, QString> ScratchIndex::copyEnvironment(const QString &as) const
{
    return {{QStringLiteral("GIT_INDEX_FILE"), m_dir.filePath(as)}};
}

Result<QByteArray> ScratchIndex::emptyEntries(const QList<QByteArray> &paths, const QString &objectFormat)
{
    const QString id = objectFormat == QLatin1StringView("sha256") ? QString(scratchEmptySha256) : QString(scratchEmptySha1);
    // The empty object lies beside, as an alternate: nothing is written into the repository.
    const QString folder = m_dir.filePath(QStringLiteral("objects/") + id.left(2));
    QDir().mkpath(folder);
    QFile object(folder + QLatin1Char('/') + id.mid(2));
    const QByteArray packed = qCompress(QByteArray("blob 0\0", 7)).mid(4); // without Qt's own length
    if (!object.open(QIODevice::WriteOnly) || object.write(packed) != packed.size() || !object.flush())
        return scratchError(object);
    QByteArray input;
    for (const QByteArray &path : paths) {
        if (path.endsWith('/')) // a repository inside: one entry without lines
            continue;
        input += "100644 " + id.toLatin1() + " 0\t" + path + '\0';
    }
    return input;
}

QMap<QString, QString> ScratchIndex::emptyEnvironment() const
{
    return {{QStringLiteral("GIT_INDEX_FILE"), m_dir.filePath(QStringLiteral("untracked"))},
        {QStringLiteral("GIT_ALTERNATE_OBJECT_DIRECTORIES"), m_dir.filePath(QStringLiteral("objects"))}};
}

} // namespace foundry::backend
