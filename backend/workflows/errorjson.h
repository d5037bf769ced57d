// An error as the JSON text that the host keeps in its tables and sends between its actors.
#pragma once

#include "models/types/error.h"

#include <QByteArray>
#include <QJsonObject>

namespace foundry::backend {

QJsonObject errorToObject(const Error &error);
Error errorFromObject(const QJsonObject &object);
QByteArray errorToJson(const Error &error);
Error errorFromJson(const QByteArray &json);

} // namespace foundry::backend
