/** Does the exported model compute what was trained, and what is won? */
@NullMarked
package org.nni4j.export.verification;

import org.jspecify.annotations.NullMarked;
