#include "backend/agents/acpquestion.h"

#include "backend/agents/acpdecode.h"
#include "realtime/protocol/messagelimits.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QJsonDocument>
#include <QRegularExpression>
#include <QUrl>

namespace foundry::backend {

namespace {

constexpr qsizetype questionFields = 50;
constexpr qsizetype questionChoices = 200;
constexpr qsizetype questionTextLimit = 4096; // characters of one label
constexpr qsizetype questionValueLimit = 32 * 1024;
constexpr qsizetype questionBytes = 320 * 1024; // of all of it: the row holds the answer as well, and fits into a message

QString questionWords(const char *text)
{
    return QCoreApplication::translate("AcpQuestion", text);
}

QString questionString(const QJsonObject &object, const char *key)
{
    return object.value(QLatin1StringView(key)).toString().left(questionTextLimit);
}

std::optional<double> questionBound(const QJsonObject &object, const char *key)
{
    const QJsonValue value = object.value(QLatin1StringView(key));
    return value.isDouble() ? std::optional<double>(value.toDouble()) : std::nullopt;
}

// `enum` lists values, `oneOf` and `anyOf` give each a title.
QList<AgentChoice> questionOptions(const QJsonObject &schema)
{
    QList<AgentChoice> options;
    for (const char *key : {"oneOf", "anyOf"}) {
        const QJsonArray items = schema.value(QLatin1StringView(key)).toArray();
        for (const auto &item : items) {
            const QJsonObject option = item.toObject();
            const QString id = questionString(option, "const");
            const QString title = questionString(option, "title");
            options.append({id, title.isEmpty() ? id : title, questionString(option, "description")});
        }
    }
    if (options.isEmpty()) {
        const QJsonArray items = schema.value(QLatin1StringView("enum")).toArray();
        for (const auto &item : items)
            options.append({item.toString().left(questionTextLimit), item.toString().left(questionTextLimit), {}});
    }
    return options;
}

QString questionValueText(const QJsonValue &value)
{
    if (value.isString())
        return value.toString().left(questionValueLimit);
    if (value.isBool())
        return value.toBool() ? QStringLiteral("true") : QStringLiteral("false");
    if (value.isDouble()) {
        const double number = value.toDouble();
        const qint64 whole = value.toInteger();
        return double(whole) == number ? QString::number(whole) : QString::number(number, 'g', QLocale::FloatingPointShortest);
    }
    return QString::fromUtf8(QJsonDocument(value.toArray()).toJson(QJsonDocument::Compact)).left(questionValueLimit);
}

QuestionField questionField(const QString &name, const QJsonObject &schema, bool required)
{
    QuestionField field;
    field.name = name;
    field.title = questionString(schema, "title");
    field.description = questionString(schema, "description");
    field.required = required;
    field.type = questionString(schema, "type");
    if (field.type == QLatin1StringView("array")) {
        field.options = questionOptions(schema.value(QLatin1StringView("items")).toObject());
        field.minimum = questionBound(schema, "minItems");
        field.maximum = questionBound(schema, "maxItems");
    } else if (field.type == QLatin1StringView("number") || field.type == QLatin1StringView("integer")) {
        field.minimum = questionBound(schema, "minimum");
        field.maximum = questionBound(schema, "maximum");
    } else if (field.type != QLatin1StringView("boolean")) {
        field.type = QStringLiteral("string"); // and what this version does not know: a person can write it
        field.options = questionOptions(schema);
        if (!field.options.isEmpty())
            field.type = QStringLiteral("enum");
        field.minimum = questionBound(schema, "minLength");
        field.maximum = questionBound(schema, "maxLength");
        if (const QString pattern = questionString(schema, "pattern"); !pattern.isEmpty())
            field.pattern = pattern;
        if (const QString format = questionString(schema, "format"); !format.isEmpty())
            field.format = format;
    }
    if (const QJsonValue value = schema.value(QLatin1StringView("default")); !value.isNull() && !value.isUndefined())
        field.value = questionValueText(value);
    return field;
}

qsizetype questionSize(const QuestionField &field)
{
    qsizetype bytes = 200;
    for (const QString &text : {field.name, field.title, field.description, field.type, field.value.value_or(QString()),
             field.pattern.value_or(QString()), field.format.value_or(QString())})
        bytes += protocol::jsonTextSize(text);
    for (const AgentChoice &option : field.options)
        bytes += protocol::jsonTextSize(option.id) + protocol::jsonTextSize(option.name) + protocol::jsonTextSize(option.description) + 40;
    return bytes;
}

Error questionInvalid(const QuestionField &field, const QString &what)
{
    return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
        QStringLiteral("“%1”: %2").arg(field.title.isEmpty() ? field.name : field.title, what), {}, field.name);
}

bool questionHas(const QuestionField &field, const QString &choice)
{
    return std::any_of(field.options.begin(), field.options.end(), [&choice](const AgentChoice &one) { return one.id == choice; });
}

bool isQuestionFormat(const QString &format, const QString &text)
{
    if (format == QLatin1StringView("uri"))
        return QUrl(text, QUrl::StrictMode).isValid() && !QUrl(text).scheme().isEmpty();
    if (format == QLatin1StringView("email"))
        return text.indexOf(QLatin1Char('@')) > 0 && !text.endsWith(QLatin1Char('@'));
    if (format == QLatin1StringView("date"))
        return QDate::fromString(text, Qt::ISODate).isValid();
    if (format == QLatin1StringView("date-time"))
        return QDateTime::fromString(text, Qt::ISODate).isValid();
    return true;
}

std::optional<QString> questionOutOfBounds(const QuestionField &field, double size)
{
    if (field.minimum && size < *field.minimum)
        return QString::number(*field.minimum);
    if (field.maximum && size > *field.maximum)
        return QString::number(*field.maximum);
    return std::nullopt;
}

Result<QJsonValue> questionText(const QuestionField &field, const QString &text)
{
    if (field.type == QLatin1StringView("enum")) {
        if (!questionHas(field, text))
            return questionInvalid(field, questionWords("“%1” is none of its choices.").arg(text.left(100)));
        return QJsonValue(text);
    }
    if (const auto bound = questionOutOfBounds(field, double(text.size())))
        return questionInvalid(field, questionWords("it has %1 characters; the bound is %2.").arg(text.size()).arg(*bound));
    if (field.pattern) {
        const QRegularExpression pattern(*field.pattern);
        if (pattern.isValid() && !pattern.match(text).hasMatch())
            return questionInvalid(field, questionWords("it has to look like %1.").arg(*field.pattern));
    }
    if (field.format && !isQuestionFormat(*field.format, text))
        return questionInvalid(field, questionWords("it has to be a %1.").arg(*field.format));
    return QJsonValue(text);
}

Result<QJsonValue> questionNumber(const QuestionField &field, const QString &text)
{
    bool ok = false;
    const bool whole = field.type == QLatin1StringView("integer");
    const qint64 integer = whole ? text.trimmed().toLongLong(&ok) : 0;
    const double number = whole ? double(integer) : text.trimmed().toDouble(&ok);
    if (!ok || !qIsFinite(number))
        return questionInvalid(field, whole ? questionWords("it has to be a whole number.") : questionWords("it has to be a number."));
    if (const auto bound = questionOutOfBounds(field, number))
        return questionInvalid(field, questionWords("%1 is past the bound %2.").arg(text.trimmed(), *bound));
    return whole ? QJsonValue(integer) : QJsonValue(number);
}

Result<QJsonValue> questionList(const QuestionField &field, const QString &text)
{
    const QJsonDocument document = QJsonDocument::fromJson(text.toUtf8());
    if (!document.isArray())
        return questionInvalid(field, questionWords("it has to be a list of choices."));
    const QJsonArray chosen = document.array();
    for (const auto &one : chosen) {
        if (!one.isString() || (!field.options.isEmpty() && !questionHas(field, one.toString())))
            return questionInvalid(field, questionWords("“%1” is none of its choices.").arg(questionValueText(one).left(100)));
    }
    if (const auto bound = questionOutOfBounds(field, double(chosen.size())))
        return questionInvalid(field, questionWords("%1 are chosen; the bound is %2.").arg(chosen.size()).arg(*bound));
    return QJsonValue(chosen);
}

Result<QJsonValue> questionValue(const QuestionField &field, const QString &text)
{
    if (text.size() > questionValueLimit)
        return questionInvalid(field, questionWords("it is longer than %1 characters.").arg(questionValueLimit));
    if (field.type == QLatin1StringView("boolean")) {
        if (text != QLatin1StringView("true") && text != QLatin1StringView("false"))
            return questionInvalid(field, questionWords("it has to be true or false."));
        return QJsonValue(text == QLatin1StringView("true"));
    }
    if (field.type == QLatin1StringView("number") || field.type == QLatin1StringView("integer"))
        return questionNumber(field, text);
    if (field.type == QLatin1StringView("array"))
        return questionList(field, text);
    return questionText(field, text);
}

} // namespace

std::optional<QuestionAsk> acpQuestion(const QString &requestId, const QJsonObject &params)
{
    QuestionAsk ask;
    ask.requestId = requestId;
    ask.message = params.value(QLatin1StringView("message")).toString().left(4 * questionTextLimit);
    const QString mode = params.value(QLatin1StringView("mode")).toString();
    if (mode == QLatin1StringView("url")) {
        ask.url = params.value(QLatin1StringView("url")).toString();
        const QUrl url(*ask.url, QUrl::StrictMode);
        const bool web = url.scheme() == QLatin1StringView("https") || url.scheme() == QLatin1StringView("http");
        return url.isValid() && web && ask.url->size() <= questionTextLimit ? std::optional(ask) : std::nullopt;
    }
    if (!mode.isEmpty() && mode != QLatin1StringView("form"))
        return std::nullopt;
    const QJsonObject schema = params.value(QLatin1StringView("requestedSchema")).toObject();
    const QJsonArray names = schema.value(QLatin1StringView("required")).toArray();
    QStringList required;
    for (const auto &name : names)
        required.append(name.toString());
    const QJsonObject properties = schema.value(QLatin1StringView("properties")).toObject();
    if (properties.size() > questionFields)
        return std::nullopt;
    qsizetype bytes = protocol::jsonTextSize(ask.message);
    for (auto it = properties.begin(); it != properties.end(); ++it) {
        ask.fields.append(questionField(it.key(), it.value().toObject(), required.contains(it.key())));
        bytes += questionSize(ask.fields.last());
        if (ask.fields.last().options.size() > questionChoices || bytes > questionBytes)
            return std::nullopt;
    }
    // The order of an object's members is lost in reading; what must be answered comes first.
    std::stable_partition(ask.fields.begin(), ask.fields.end(), [](const QuestionField &field) { return field.required; });
    return ask;
}

Result<QJsonObject> acpQuestionContent(const QuestionAsk &ask, const QMap<QString, QString> &values)
{
    QJsonObject content;
    for (const QuestionField &field : ask.fields) {
        const auto given = values.constFind(field.name);
        // An empty line is no answer; an empty list is one.
        if (given == values.cend() || given->isEmpty()) {
            if (field.required)
                return questionInvalid(field, questionWords("it has to be answered."));
            continue;
        }
        auto value = questionValue(field, *given);
        if (!value)
            return value.error();
        content.insert(field.name, *value);
    }
    for (auto it = values.cbegin(); it != values.cend(); ++it) {
        const bool known = std::any_of(ask.fields.begin(), ask.fields.end(), [&it](const QuestionField &field) { return field.name == it.key(); });
        if (!known)
            return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
                questionWords("The question has no field “%1”.").arg(it.key().left(100)), {}, it.key().left(100));
    }
    return content;
}

} // namespace foundry::backend
