#include "backend/store/blobstore.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QSaveFile>

#include <ctime>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace foundry::backend {

namespace {

constexpr qint64 blobLimit = 20ll * 1024 * 1024;
constexpr qint64 blobPageLimit = 256 * 1024;
constexpr qsizetype blobPreview = 400;
constexpr qint64 blobFreshSeconds = 24 * 3600; // an upload that was sent again is about to be used

// Ids are opaque text of a client: never a path.
QString blobName(const QString &id)
{
    return QString::fromLatin1(QCryptographicHash::hash(id.toUtf8(), QCryptographicHash::Sha256).toHex());
}

Error blobMissing(const BlobId &id)
{
    return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
        QStringLiteral("There is no stored text “%1”; its upload was not finished, or it was made elsewhere.").arg(id.value),
        QStringLiteral("Send it again."), QStringLiteral("blobId"));
}

Error blobStorageError(const QFileDevice &file, const QString &doing)
{
    return makeError(QLatin1StringView("internal"), QLatin1StringView("storage_failed"),
        QStringLiteral("Could not %1: %2.").arg(doing, file.errorString()),
        QStringLiteral("Check that the data directory is writable and that its disk is not full."));
}

} // namespace

BlobStore::BlobStore(QString root)
    : m_root(std::move(root))
{
}

QString BlobStore::pathOf(const BlobId &id) const
{
    const QString name = blobName(id.value);
    return m_root + QLatin1Char('/') + name.left(2) + QLatin1Char('/') + name;
}

BlobStore BlobStore::ofTask(const TaskId &task) const
{
    BlobStore store(m_root + QStringLiteral("/tasks/") + blobName(task.value));
    store.m_uploads = m_root;
    return store;
}

QString BlobStore::found(const BlobId &id) const
{
    QString own = pathOf(id);
    if (m_uploads.isEmpty() || QFileInfo::exists(own))
        return own;
    return BlobStore(m_uploads).pathOf(id);
}

Result<> BlobStore::take(const BlobId &id) const
{
    const QString own = pathOf(id);
    if (m_uploads.isEmpty() || QFileInfo::exists(own))
        return Unit{};
    const QString upload = BlobStore(m_uploads).pathOf(id);
    if (!QFileInfo::exists(upload))
        return blobMissing(id);
    QDir().mkpath(QFileInfo(own).absolutePath());
    std::error_code failed;
    std::filesystem::create_hard_link(upload.toStdString(), own.toStdString(), failed);
    // Where files cannot have two names it is copied, under another name until it is whole.
    if (failed && failed != std::errc::file_exists) {
        const QString part = own + QStringLiteral(".part");
        std::filesystem::copy_file(upload.toStdString(), part.toStdString(), std::filesystem::copy_options::overwrite_existing, failed);
        if (!failed)
            std::filesystem::rename(part.toStdString(), own.toStdString(), failed);
        if (failed)
            return makeError(QLatin1StringView("internal"), QLatin1StringView("storage_failed"),
                QStringLiteral("Could not keep an upload: %1.").arg(QString::fromStdString(failed.message())),
                QStringLiteral("Check that the data directory is writable and that its disk is not full."));
    }
    return Unit{};
}

Result<> BlobStore::removeTask() const
{
    if (m_uploads.isEmpty())
        return Unit{};
    std::error_code failed;
    std::filesystem::recursive_directory_iterator files(m_root.toStdString(), failed);
    for (; !failed && files != std::filesystem::recursive_directory_iterator(); files.increment(failed)) {
        const QString name = QString::fromStdString(files->path().filename().string());
        const QByteArray upload = QFile::encodeName(m_uploads + QLatin1Char('/') + name.left(2) + QLatin1Char('/') + name);
        struct stat kept = {};
        struct stat uploaded = {};
        if (::lstat(files->path().c_str(), &kept) != 0 || !S_ISREG(kept.st_mode) || ::lstat(upload.constData(), &uploaded) != 0)
            continue;
        if (kept.st_ino == uploaded.st_ino && kept.st_dev == uploaded.st_dev && uploaded.st_mtim.tv_sec + blobFreshSeconds < ::time(nullptr))
            ::unlink(upload.constData());
    }
    failed.clear();
    std::filesystem::remove_all(m_root.toStdString(), failed);
    if (failed)
        return makeError(QLatin1StringView("internal"), QLatin1StringView("storage_failed"),
            QStringLiteral("The texts and files that a task kept in “%1” cannot be removed: %2.").arg(m_root, QString::fromStdString(failed.message())),
            QStringLiteral("Check that the data directory is writable."));
    return Unit{};
}

Result<> BlobStore::put(const BlobId &id, qint64 offset, const QByteArray &data, bool last) const
{
    const QString path = pathOf(id);
    if (offset < 0 || offset + data.size() > blobLimit)
        return makeError(QLatin1StringView("input"), QLatin1StringView("too_large"),
            QStringLiteral("Attachments may have at most %1 MiB.").arg(blobLimit / (1024 * 1024)),
            QStringLiteral("Attach a smaller file."), QStringLiteral("dataBase64"));
    if (QFileInfo::exists(path)) { // whole already: the same upload again, which somebody is about to use
        ::utimensat(AT_FDCWD, QFile::encodeName(path).constData(), nullptr, 0);
        return Unit{};
    }
    QDir().mkpath(QFileInfo(path).absolutePath());
    QFile part(path + QStringLiteral(".part"));
    if (!part.open(QIODevice::ReadWrite))
        return blobStorageError(part, QStringLiteral("store a piece of the upload"));
    if (offset > part.size())
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
            QStringLiteral("A piece of the upload is missing: %1 bytes are here, and this one begins at %2.").arg(part.size()).arg(offset),
            QStringLiteral("Send it again from the beginning."), QStringLiteral("offset"));
    if (!part.seek(offset) || part.write(data) != data.size() || !part.flush())
        return blobStorageError(part, QStringLiteral("store a piece of the upload"));
    if (last) {
        part.resize(offset + data.size());
        part.close();
        if (!part.rename(path) && !QFileInfo::exists(path))
            return blobStorageError(part, QStringLiteral("finish the upload"));
    }
    return Unit{};
}

Result<BlobRef> BlobStore::keep(const QByteArray &data, const QString &mime) const
{
    BlobRef ref;
    ref.blobId.value = QStringLiteral("sha256-")
        + QString::fromLatin1(QCryptographicHash::hash(data, QCryptographicHash::Sha256).toHex());
    ref.size = data.size();
    ref.mime = mime;
    ref.preview = QString::fromUtf8(data.left(blobPreview * 4)).left(blobPreview);
    const QString path = pathOf(ref.blobId);
    if (!QFileInfo::exists(path)) {
        QDir().mkpath(QFileInfo(path).absolutePath());
        QSaveFile file(path);
        if (!file.open(QIODevice::WriteOnly) || file.write(data) != data.size() || !file.commit())
            return blobStorageError(file, QStringLiteral("keep a long text"));
    }
    return ref;
}

std::optional<qint64> BlobStore::size(const BlobId &id) const
{
    const QFileInfo info(found(id));
    return info.exists() ? std::optional<qint64>(info.size()) : std::nullopt;
}

Result<BlobPage> BlobStore::read(const BlobId &id, qint64 offset, qint64 limit) const
{
    QFile file(found(id));
    if (!file.open(QIODevice::ReadOnly))
        return blobMissing(id);
    BlobPage page;
    page.size = file.size();
    if (offset < 0 || !file.seek(qMin(offset, page.size)))
        return blobStorageError(file, QStringLiteral("read a stored text"));
    page.data = file.read(qBound(qint64(0), limit, blobPageLimit));
    return page;
}

Result<QByteArray> BlobStore::readAll(const BlobId &id, qint64 limit) const
{
    QFile file(found(id));
    if (!file.open(QIODevice::ReadOnly))
        return blobMissing(id);
    return file.read(limit);
}

TextOrBlob textOrBlob(const BlobStore &store, const QString &text, const QString &mime, qsizetype inlineBytes)
{
    TextOrBlob value;
    const QByteArray bytes = text.size() > inlineBytes / 4 ? text.toUtf8() : QByteArray();
    if (bytes.size() <= inlineBytes) {
        value.text = text;
        return value;
    }
    auto ref = store.keep(bytes, mime);
    if (ref)
        value.blob = *ref;
    else
        value.text = text.left(inlineBytes / 4) + QStringLiteral("\n… (the rest could not be stored: ")
            + ref.error().message + QLatin1Char(')');
    return value;
}

} // namespace foundry::backend
