// Long texts and files that are too large for a message or a row: put in pieces, read in pages, named by an id. They lie
// outside the actors' databases, under <data>/blobs. Files only, no state: any thread. Sizes are bytes.
#pragma once

#include "models/types/blob.h"
#include "models/types/commands.h"
#include "models/types/result.h"

#include <QByteArray>
#include <QString>

namespace foundry::backend {

class BlobStore {
public:
    explicit BlobStore(QString root);

    // A piece at its offset; `last` makes the blob whole and readable. The same piece again changes nothing. Errors:
    // input.invalid (a gap), input.too_large (past 20 MiB), internal.storage_failed.
    Result<> put(const BlobId &id, qint64 offset, const QByteArray &data, bool last) const;
    // Keeps text under an id made from its content.
    Result<BlobRef> keep(const QByteArray &data, const QString &mime) const;

    std::optional<qint64> size(const BlobId &id) const; // of whole ones
    // At most 256 KiB a page. Error: input.invalid (no such blob).
    Result<BlobPage> read(const BlobId &id, qint64 offset, qint64 limit) const;
    Result<QByteArray> readAll(const BlobId &id, qint64 limit) const;

private:
    QString pathOf(const BlobId &id) const;

    QString m_root;
};

// Inline up to 16 KiB, else kept as a blob; on a full disk it stays cut, and says so.
TextOrBlob textOrBlob(const BlobStore &store, const QString &text, const QString &mime);

} // namespace foundry::backend
