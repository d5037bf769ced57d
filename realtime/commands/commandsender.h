// A typed command onto a queue: makes the request id, encodes, decodes the answer. GUI thread.
#pragma once

#include "models/types/commands.h"
#include "realtime/commands/commandqueue.h"
#include "realtime/protocol/codec.h"

namespace foundry::realtime {

template <class Answer>
using Answered = std::function<void(Result<Answer>)>;

// Answer = Unit: what the host answers is seen through the feeds anyway.
template <class Answer = Unit, class Command>
RequestId sendCommand(CommandQueue &queue, const QString &action, Command command, QObject *context, Answered<Answer> then)
{
    if (command.requestId.isEmpty())
        command.requestId = makeId<RequestId>();
    queue.enqueue(action, protocol::encodeArgs(command), context, [then = std::move(then)](const Result<QByteArray> &answer) {
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
    });
    return command.requestId;
}

} // namespace foundry::realtime
