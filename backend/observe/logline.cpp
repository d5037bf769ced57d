#include "backend/observe/logline.h"

#include "realtime/protocol/jsonwriter.h"

namespace foundry::backend {

namespace {
constexpr qsizetype kValueLength = 300;
} // namespace

LogLine::LogLine(const char *event)
    : m_text(QByteArray("{\"event\":\"") + event + '"')
{
}

LogLine &LogLine::add(const char *name, QStringView value)
{
    if (value.isEmpty())
        return *this;
    m_text += QByteArray(",\"") + name + "\":";
    protocol::appendJsonString(m_text, value.left(kValueLength));
    return *this;
}

LogLine &LogLine::add(const char *name, qint64 value)
{
    m_text += QByteArray(",\"") + name + "\":" + QByteArray::number(value);
    return *this;
}

LogLine &LogLine::addMilliseconds(const char *name, double seconds)
{
    m_text += QByteArray(",\"") + name + "\":" + QByteArray::number(seconds * 1000, 'f', 1);
    return *this;
}

} // namespace foundry::backend
