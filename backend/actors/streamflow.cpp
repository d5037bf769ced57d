#include "backend/actors/streamflow.h"

#include "backend/actors/messagejson.h"

namespace foundry::backend {

QByteArray encodeStreamMark(const StreamMark &mark)
{
    return messagejson::text({{QLatin1StringView("epoch"), mark.epoch}, {QLatin1StringView("bytes"), mark.bytes}});
}

Result<StreamMark> decodeStreamMark(const QByteArray &json)
{
    auto read = messagejson::object(json, {QLatin1StringView("epoch"), QLatin1StringView("bytes")});
    if (!read)
        return read.error();
    return StreamMark{read->value(QLatin1StringView("epoch")).toInteger(), read->value(QLatin1StringView("bytes")).toInteger()};
}

} // namespace foundry::backend
