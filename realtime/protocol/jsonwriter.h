// Appends JSON text to a byte array, without a tree in between.
#pragma once

#include <QByteArray>
#include <QByteArrayView>
#include <QStringView>

namespace foundry::protocol {

void appendJsonString(QByteArray &out, QStringView text);
// A number as JSON; what JSON cannot say (NaN, infinity) becomes null.
void appendJsonNumber(QByteArray &out, double number);

class JsonWriter {
public:
    void beginObject() { value().append('{'); m_first = true; }
    void endObject() { m_out.append('}'); m_first = false; }
    void beginArray() { value().append('['); m_first = true; }
    void endArray() { m_out.append(']'); m_first = false; }
    void key(QLatin1StringView name);
    void key(QStringView name);
    void string(QStringView text) { appendJsonString(value(), text); }
    void number(qint64 number) { value().append(QByteArray::number(number)); }
    void number(double number) { appendJsonNumber(value(), number); }
    void boolean(bool on) { value().append(on ? "true" : "false"); }
    void null() { value().append("null"); }
    // JSON text that is written as it is.
    void raw(QByteArrayView json) { value().append(json); }

    QByteArray take() { return std::move(m_out); }

private:
    QByteArray &value();

    QByteArray m_out;
    bool m_first = true;
    bool m_afterKey = false;
};

} // namespace foundry::protocol
