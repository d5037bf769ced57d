// A command handler whose argument is decoded first: a message that cannot be read is an error of it, not of the body.
#pragma once

#include "backend/actors/actor.h"
#include "realtime/protocol/codec.h"

namespace foundry::backend {

template <class Command>
CommandHandler decodedCommand(std::function<Result<QByteArray>(Transaction &, const Caller &, const Command &)> body)
{
    return [body = std::move(body)](Transaction &tx, const Caller &caller, QByteArrayView args) -> Result<QByteArray> {
        auto command = protocol::decodeArgs<Command>(args);
        if (!command)
            return command.error();
        return body(tx, caller, *command);
    };
}

} // namespace foundry::backend
