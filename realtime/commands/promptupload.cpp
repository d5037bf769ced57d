#include "realtime/commands/promptupload.h"

#include <QLocale>

namespace foundry::realtime {

namespace {

qint64 sizeAsJson(QByteArrayView utf8)
{
    qint64 size = 2;
    for (const char c : utf8) {
        if (c == '"' || c == '\\' || c == '\n' || c == '\r' || c == '\t')
            size += 2;
        else if (static_cast<unsigned char>(c) < 0x20)
            size += 6;
        else
            size += 1;
    }
    return size;
}

} // namespace

PromptUpload::PromptUpload(CommandQueue &organization, QObject *parent)
    : QObject(parent)
    , m_queue(organization)
{
}

std::optional<Error> PromptUpload::check(const QString &text)
{
    const qint64 size = text.toUtf8().size();
    if (size <= promptLimit)
        return std::nullopt;
    return makeError(QLatin1StringView("input"), QLatin1StringView("too_large"),
        tr("The prompt has %1; at most %2 can be sent.")
            .arg(QLocale().formattedDataSize(size), QLocale().formattedDataSize(promptLimit)),
        tr("Shorten it, or put the text into a file of the repository and name the file in the prompt."));
}

bool PromptUpload::fitsInline(const QString &text)
{
    return sizeAsJson(text.toUtf8()) <= inlineLimit;
}

void PromptUpload::prepare(const QString &text, QObject *context, Answered<Prompt> then)
{
    if (const auto tooLarge = check(text)) {
        then(*tooLarge);
        return;
    }
    if (fitsInline(text)) {
        then(Prompt{text});
        return;
    }
    const QByteArray utf8 = text.toUtf8();
    const BlobId blob = makeId<BlobId>();
    // The first failure is the answer; the pieces after it count for nothing.
    auto once = std::make_shared<Answered<Prompt>>(std::move(then));
    for (qint64 offset = 0; offset < utf8.size(); offset += pieceSize) {
        PutBlob piece;
        piece.blobId = blob;
        piece.offset = offset;
        piece.data = utf8.mid(offset, pieceSize);
        piece.last = offset + pieceSize >= utf8.size();
        sendCommand(m_queue, QStringLiteral("putBlob"), piece, context,
            Answered<Unit>([once, blob, last = piece.last](const Result<> &answer) {
                if (!*once || (answer && !last))
                    return;
                const Answered<Prompt> finish = std::exchange(*once, nullptr);
                if (answer)
                    finish(Prompt{{}, blob});
                else
                    finish(answer.error());
            }));
    }
}

} // namespace foundry::realtime
