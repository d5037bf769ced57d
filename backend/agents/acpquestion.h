// What an agent asks beside permissions (ACP elicitation): its form as fields, and a person's words as the values that its
// schema wants. Pure; no clock, no signals.
#pragma once

#include "models/types/result.h"
#include "models/types/transcript.h"

#include <QJsonObject>

namespace foundry::backend {

// `params` of elicitation/create. Nothing when it is of a mode that this version does not know, or its form is too large
// for a person (50 fields, 200 choices in one).
std::optional<QuestionAsk> acpQuestion(const QString &requestId, const QJsonObject &params);

// The answer's content: each value converted to its field's type. Error: input.invalid, with the field in `detail`, for
// one that is missing, of another type, out of bounds, no choice of the field, or of no field. A question with a URL takes
// no values.
Result<QJsonObject> acpQuestionContent(const QuestionAsk &ask, const QMap<QString, QString> &values);

} // namespace foundry::backend
