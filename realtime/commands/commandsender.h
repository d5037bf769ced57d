// A typed command onto a queue: makes the request id, encodes, decodes the answer. GUI thread.
#pragma once

#include "models/types/commands.h"
#include "realtime/commands/commandqueue.h"
#include "realtime/protocol/codec.h"

namespace foundry::realtime {

template <class Answer>
using Answered = std::function<void(Result<Answer>)>;

// How a command is kept: with a label for people. Empty: not kept, because its moment passes (a cancel, a read) or because
// it is sent again anyway.
struct Kept {
    QString label;
    std::optional<UpdateDraft> draft = {}; // empty: the one that it takes the place of
};

// Answer = Unit: what the host answers is seen through the feeds anyway.
template <class Answer = Unit, class Command>
RequestId sendCommand(CommandQueue &queue, const QString &action, Command command, QObject *context, Answered<Answer> then,
    const std::optional<Kept> &kept = {})
{
    if (command.requestId.isEmpty())
        command.requestId = makeId<RequestId>();
    CallAnswer decoded = [then = std::move(then)](const Result<QByteArray> &answer) {
        if (!then)
            return;
        if (!answer) {
            then(answer.error());
            return;
        }
        if constexpr (std::is_same_v<Answer, Unit>)
            then(Unit{});
        else
            then(protocol::decodeValue<Answer>(*answer));
    };
    if (kept)
        queue.enqueueKept({command.requestId, kept->label, kept->draft}, action, protocol::encodeArgs(command), context, std::move(decoded));
    else
        queue.enqueue(action, protocol::encodeArgs(command), context, std::move(decoded));
    return command.requestId;
}

} // namespace foundry::realtime
