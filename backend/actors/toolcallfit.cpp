#include "backend/actors/toolcallfit.h"

#include "realtime/protocol/messagelimits.h"

namespace foundry::backend {

namespace {

constexpr qsizetype toolcallfitBytes = 384 * 1024;
constexpr qsizetype toolcallfitSmall = 256; // an inline text of a call with very many

void toolcallfitShorten(ToolCall &call, const BlobStore &blobs, qsizetype inlineBytes)
{
    const auto shorten = [&](TextOrBlob &value, const QString &mime) {
        if (!value.blob)
            value = textOrBlob(blobs, value.text, mime, inlineBytes);
        if (value.blob && inlineBytes < blobInlineLimit)
            value.blob->preview.truncate(inlineBytes / 4);
    };
    const QString plain = QStringLiteral("text/plain");
    const QString json = QStringLiteral("application/json");
    for (ToolContent &content : call.content) {
        if (auto *text = std::get_if<ToolText>(&content)) {
            shorten(text->text, plain);
        } else if (auto *diff = std::get_if<ToolDiff>(&content)) {
            shorten(diff->newText, plain);
            if (diff->oldText)
                shorten(*diff->oldText, plain);
        }
    }
    if (call.rawInput)
        shorten(*call.rawInput, json);
    if (call.rawOutput)
        shorten(*call.rawOutput, json);
}

qsizetype toolcallfitSize(const TextOrBlob &value)
{
    return protocol::jsonTextSize(value.text) + (value.blob ? protocol::jsonTextSize(value.blob->preview) + 160 : 0) + 40;
}

qsizetype toolcallfitSize(const ToolContent &content)
{
    if (const auto *text = std::get_if<ToolText>(&content))
        return toolcallfitSize(text->text);
    if (const auto *diff = std::get_if<ToolDiff>(&content))
        return toolcallfitSize(diff->newText) + (diff->oldText ? toolcallfitSize(*diff->oldText) : 0) + protocol::jsonTextSize(diff->path);
    return 200;
}

qsizetype toolcallfitRest(const ToolCall &call)
{
    qsizetype bytes = protocol::jsonTextSize(call.title) + protocol::jsonTextSize(call.callId) + 400;
    for (const ToolLocation &location : call.locations)
        bytes += protocol::jsonTextSize(location.path) + 40;
    if (call.rawInput)
        bytes += toolcallfitSize(*call.rawInput);
    if (call.rawOutput)
        bytes += toolcallfitSize(*call.rawOutput);
    return bytes;
}

} // namespace

void fitToolCall(ToolCall &call, const BlobStore &blobs)
{
    toolcallfitShorten(call, blobs, blobInlineLimit);
    const auto size = [&call] {
        qsizetype bytes = toolcallfitRest(call);
        for (const ToolContent &content : std::as_const(call.content))
            bytes += toolcallfitSize(content);
        return bytes;
    };
    if (size() <= toolcallfitBytes)
        return;
    toolcallfitShorten(call, blobs, toolcallfitSmall);
    while (size() > toolcallfitBytes && call.locations.size() > 20) // hundreds of very long paths
        call.locations.resize(call.locations.size() / 2);
    qsizetype bytes = toolcallfitRest(call);
    for (qsizetype n = 0; n < call.content.size(); ++n) {
        bytes += toolcallfitSize(call.content.at(n));
        if (bytes <= toolcallfitBytes)
            continue;
        const qsizetype left = call.content.size() - n;
        call.content.resize(n);
        call.content.append(ToolText{{QStringLiteral("… (%1 more pieces were left out)").arg(left)}});
    }
}

} // namespace foundry::backend
