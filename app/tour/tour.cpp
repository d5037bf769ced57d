#include "app/tour/tour.h"
